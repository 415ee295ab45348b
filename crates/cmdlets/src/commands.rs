//! The table of modelled commands.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use firedrill_powershell::command::ConfirmImpact;

use crate::context::{Cx, Done};

/// What runs a command once for a bound set of parameters.
pub(crate) type Handler = fn(&mut Cx<'_>) -> Done;

/// A modelled command.
#[derive(Debug)]
pub(crate) struct Command {
    /// Name as in the signature table.
    pub(crate) name: &'static str,
    /// Its translation into the fabric.
    pub(crate) run: Handler,
    /// Parameters that the translation honours. The others of the signature make a run inconclusive when they are used.
    pub(crate) reads: &'static [&'static str],
    /// How grave it is.
    pub(crate) impact: ConfirmImpact,
    /// Which family of the product's cmdlets it belongs to; decides what frames its output.
    pub(crate) style: Style,
    implementing: &'static str,
}

/// What frames the output of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Nothing.
    Plain,
    /// `Microsoft.Rtc.Management.Deployment`: a closing line and a report file (dossier H).
    Deployment,
}

/// Parameters that change nothing the model can show, for any command: `-Force` hides non-fatal messages unless a
/// command reads it, `-Report` is honoured for all commands alike.
const UNIVERSAL: &[&str] = &["Force", "Report"];

impl Command {
    pub(crate) const fn new(name: &'static str, run: Handler, reads: &'static [&'static str]) -> Self {
        Self { name, run, reads, impact: ConfirmImpact::Medium, style: Style::Plain, implementing: "" }
    }

    /// Asks before it acts unless `-Confirm:$false`.
    pub(crate) const fn high(self) -> Self {
        Self { impact: ConfirmImpact::High, ..self }
    }

    pub(crate) const fn deployment(self) -> Self {
        Self { style: Style::Deployment, ..self }
    }

    /// The implementing type, where a printed error names it.
    pub(crate) const fn implemented_by(self, implementing: &'static str) -> Self {
        Self { implementing, ..self }
    }

    /// Whether a parameter is honoured.
    pub(crate) fn knows(&self, parameter: &str) -> bool {
        self.reads.iter().chain(UNIVERSAL).any(|known| known.eq_ignore_ascii_case(parameter))
    }

    /// Second half of `FullyQualifiedErrorId`.
    pub(crate) fn implementing_type(&self) -> String {
        if !self.implementing.is_empty() {
            return self.implementing.to_owned();
        }
        let (verb, noun) = self.name.split_once('-').unwrap_or(("", self.name));
        let area = match self.style {
            Style::Deployment => "Deployment.",
            Style::Plain => "",
        };
        // The pattern of the types that printed errors name (dossier B.5, H); for the others inferred.
        format!("Microsoft.Rtc.Management.{area}{verb}{}Cmdlet", noun.strip_prefix("Cs").unwrap_or(noun))
    }
}

/// All modelled commands, family by family.
pub(crate) fn all() -> impl Iterator<Item = &'static Command> {
    [
        crate::topology::COMMANDS,
        crate::services::COMMANDS,
        crate::publish::COMMANDS,
        crate::pool::COMMANDS,
        crate::cms::COMMANDS,
        crate::replication::COMMANDS,
        crate::configuration::COMMANDS,
        crate::users::COMMANDS,
        crate::backup::COMMANDS,
        crate::database::COMMANDS,
        crate::registrar::COMMANDS,
        crate::windows::COMMANDS,
        crate::edge::COMMANDS,
        crate::xmpp::COMMANDS,
        crate::synthetic::COMMANDS,
        crate::dns::COMMANDS,
        crate::network::COMMANDS,
    ]
    .into_iter()
    .flatten()
}

/// The modelled command with a name as in the signature table.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    static INDEX: OnceLock<BTreeMap<&'static str, &'static Command>> = OnceLock::new();
    INDEX.get_or_init(|| all().map(|command| (command.name, command)).collect()).get(name).copied()
}
