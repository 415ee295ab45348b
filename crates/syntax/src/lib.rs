//! Sources, spans, diagnostics and YAML reading shared by every document of Firedrill.
//!
//! A document is read in two passes. [`read_yaml`] turns text into a value of a serde type whose leaves are
//! [`Located`]: it stops at the first problem of structure, because a parser that has lost its place invents problems.
//! The owner of the document then checks meaning and collects *all* problems in [`Diagnostics`].
//!
//! The crate does no I/O. Files are read at the rim and arrive as a [`Source`].

mod diagnostic;
mod duration;
mod located;
mod nearest;
mod render;
mod source;
mod wording;
mod yaml;

pub use diagnostic::{Diagnostic, Diagnostics, Severity, quote};
pub use duration::{DurationError, DurationText, LONGEST as LONGEST_DURATION, format_duration, parse_duration};
pub use located::Located;
pub use nearest::{all_of, nearest, one_of};
pub use render::{render, render_plain};
pub use source::{LineColumn, Source, Span};
pub use yaml::{Limits, read_yaml};
