//! `firedrill check`: reads, reports every problem, runs nothing.

use firedrill_scenario::{DiskFiles, Files as _, Loader};
use firedrill_syntax::{Diagnostic, Source};

use crate::cli::Check;
use crate::exit::Exit;
use crate::print::Printer;
use crate::select::files_of;

pub(crate) fn run(arguments: &Check, printer: &mut Printer) -> Exit {
    let paths = match files_of(&arguments.paths) {
        Ok(paths) => paths,
        Err(error) => return printer.usage_error(&error),
    };
    if paths.is_empty() {
        printer.talk("nothing selected");
        return Exit::NothingSelected;
    }
    let mut diagnostics = Vec::new();
    let mut files = DiskFiles;
    let mut loader_files = DiskFiles;
    let mut loader = Loader::new(&mut loader_files);
    for (path, _) in &paths {
        match kind_of(&mut files, path) {
            Kind::Topology(source) => diagnostics.extend(firedrill_scenario::read_topology(&mut DiskFiles, &source).diagnostics),
            Kind::Scenario => match loader.load(path) {
                Ok(loaded) => diagnostics.extend(loaded.warnings),
                Err(problems) => diagnostics.extend(problems),
            },
        }
    }
    deduplicate(&mut diagnostics);
    if printer.diagnostics(&diagnostics) {
        return Exit::Invalid;
    }
    printer.talk(&format!("{} file(s) read, no errors", paths.len()));
    Exit::Pass
}

enum Kind {
    Topology(std::sync::Arc<Source>),
    Scenario,
}

/// A topology says `product:` at its top level, a scenario `topology:`. What cannot be read is left to the scenario
/// loader, which says why.
fn kind_of(files: &mut DiskFiles, path: &str) -> Kind {
    let Ok(bytes) = files.read(path, firedrill_scenario::limits::MAX_TOPOLOGY_BYTES as u64) else { return Kind::Scenario };
    let Ok(source) = Source::from_bytes(path, &bytes) else { return Kind::Scenario };
    let has = |key: &str| source.text.lines().any(|line| line.starts_with(key));
    if has("product:") && !has("topology:") { Kind::Topology(source) } else { Kind::Scenario }
}

/// Scenarios that share a topology share its warnings.
fn deduplicate(diagnostics: &mut Vec<Diagnostic>) {
    let mut seen = std::collections::BTreeSet::new();
    diagnostics.retain(|d| seen.insert((d.source.name.clone(), d.span.start, d.span.end, d.message.clone())));
}
