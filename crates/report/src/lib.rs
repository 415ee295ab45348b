//! Console, JSON Lines and JUnit reports, all from the records of runs.
//!
//! [`RunReport`] folds the records of one run; everything else is a view of it. Nothing here runs anything.

mod console;
mod fold;
mod json;
mod junit;

pub use console::{Palette, failure_pages, heading, summary, timeline, verdict_line};
pub use fold::{ExpectationReport, RunReport, StepReport, event_text};
pub use json::json_line;
pub use junit::junit;
