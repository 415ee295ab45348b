//! How reports call steps and places.

use firedrill_fabric::fault::DnsEdit;
use firedrill_syntax::Span;
use firedrill_topology::Topology;

use crate::record::Place;
use crate::resolve::position_in_yaml;
use crate::scenario::{Action, Check, Deed, Origin, Script, Step};

/// Whether a step is about an error.
pub(crate) fn expects_failure(step: &Step) -> bool {
    step.expect.iter().any(|expectation| matches!(expectation.check, Check::Fails(_)))
}

pub(crate) fn place_of(origin: &Origin) -> Place {
    Place { file: origin.source.name.clone(), line: origin.line() }
}

pub(crate) fn place_in_script(script: &Script, position: &firedrill_powershell::source::Position) -> Place {
    // A script that the step's text calls has a name of its own.
    if !position.source.name.is_empty() {
        return Place { file: position.source.name.clone(), line: position.line_column().0 };
    }
    place_of(&origin_in_script(script, position.span))
}

/// Where bytes of a script stand in its file.
pub(crate) fn origin_in_script(script: &Script, span: firedrill_powershell::source::Span) -> Origin {
    let part = Span::new(span.start as usize, span.end as usize);
    let span = position_in_yaml(&script.origin.source, script.origin.span, &script.text, part);
    Origin { source: script.origin.source.clone(), span }
}

pub(crate) fn kind_of(action: &Action) -> &'static str {
    match action {
        Action::Deed(Deed::Inject(_)) => "fault",
        Action::Deed(Deed::Heal { .. }) => "heal",
        Action::Deed(Deed::Dns(_)) => "dns",
        Action::Wait(_) => "wait",
        Action::WaitUntil { .. } => "wait_until",
        Action::Run(_) => "run",
        Action::TopologyBuilder { .. } => "topology_builder",
        Action::DeploymentWizard { .. } => "deployment_wizard",
        Action::Enter { .. } => "include",
        Action::Leave { .. } => "end_of_include",
        Action::Look => "expect",
    }
}

/// What reports call a step: its title, or its first line.
pub fn title_of(step: &Step, topology: &Topology) -> String {
    if let Some(title) = &step.title {
        return title.to_string();
    }
    match &step.action {
        Action::Run(script) => {
            let first = script.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
            format!("{} on {}", first, topology.computer(script.on).fqdn)
        }
        Action::Deed(Deed::Dns(edits)) => {
            let edits: Vec<String> = edits.iter().map(edit_words).collect();
            format!("dns: {}", edits.join(", "))
        }
        Action::TopologyBuilder { .. } => "topology_builder: edits".to_owned(),
        Action::DeploymentWizard { computers, .. } => {
            let computers: Vec<&str> = computers.iter().map(|computer| topology.computer(*computer).fqdn.as_str()).collect();
            format!("deployment_wizard: {}", computers.join(", "))
        }
        // Where the file lies is the machine's doing: titles count for the digest of the log.
        Action::Leave { path } => format!("end of {}", path.rsplit('/').next().unwrap_or(path)),
        _ => step.origin.source.slice(step.origin.span).trim_end_matches(':').to_owned(),
    }
}

/// An edit of a zone in a few words.
fn edit_words(edit: &DnsEdit) -> String {
    match edit {
        DnsEdit::Add { name, .. } => format!("add {name}"),
        DnsEdit::Replace { name, record_type, .. } => format!("set {name} {record_type:?}"),
        DnsEdit::Remove { name, record_type, .. } => format!("remove {name} {record_type:?}"),
    }
}
