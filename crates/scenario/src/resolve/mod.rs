//! Documents to scenarios. Everything that can be wrong with meaning is found here, all of it at once.

mod convert;
mod expectation;
mod fault;
pub(crate) mod names;
mod network;
mod objectives;
mod script;
mod settings;
mod step;
mod time;
mod zone_edit;

use std::sync::Arc;

use firedrill_syntax::{Diagnostic, Diagnostics, Source, Span};
use firedrill_topology::Topology;

use crate::document::Overrides;

pub(crate) use expectation::Station;
pub(crate) use script::position_in_yaml;
pub(crate) use step::Resolved;
pub use time::DEFAULT_START;

/// Problems of one file, counted.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    list: Diagnostics,
    count: usize,
}

impl Problems {
    /// Adds one.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.count += 1;
        self.list.push(diagnostic);
    }

    /// How many were added.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether more would only be counted.
    pub(crate) fn is_full(&self) -> bool {
        self.list.is_full()
    }

    /// All of them, in the order of the text.
    pub(crate) fn into_vec(self) -> Vec<Diagnostic> {
        self.list.into_vec()
    }
}

/// What names mean, and where problems go.
pub(crate) struct Resolver<'a> {
    /// The deployment that names are looked up in.
    pub(crate) topology: &'a Topology,
    /// The file that is read.
    pub(crate) source: &'a Arc<Source>,
    /// Problems so far.
    pub(crate) problems: &'a mut Problems,
}

/// The topology with the overrides of a scenario.
pub(crate) fn with_overrides(
    topology: &Arc<Topology>,
    overrides: &Overrides,
    source: &Arc<Source>,
    problems: &mut Problems,
) -> Arc<Topology> {
    let mut changed = Topology::clone(topology);
    Resolver { topology, source, problems }.overrides(overrides, &mut changed);
    Arc::new(changed)
}

/// The whole line of a list entry, without its indentation and dash: what a reader sees as the entry. The reader's
/// span of an enum value starts behind its key.
pub(crate) fn entry_span(source: &Source, span: Span) -> Span {
    let line = source.line_column(span.start).line;
    let start = source.line_start(line).unwrap_or(0);
    let end = source.line_start(line + 1).unwrap_or(source.text.len());
    let text = source.slice(Span::new(start, end));
    let body = text.trim_start_matches([' ', '-']);
    let from = start + (text.len() - body.len());
    Span::new(from, from + body.trim_end().len())
}
