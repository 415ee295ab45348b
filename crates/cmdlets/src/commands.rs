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
        crate::win_services::COMMANDS,
        crate::machines::COMMANDS,
        crate::event_logs::COMMANDS,
        crate::wmi::COMMANDS,
        crate::directory::COMMANDS,
        crate::sqlcmd::COMMANDS,
        crate::mail::COMMANDS,
    ]
    .into_iter()
    .flatten()
}

/// The modelled command with a name as in the signature table.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    static INDEX: OnceLock<BTreeMap<&'static str, &'static Command>> = OnceLock::new();
    INDEX.get_or_init(|| all().map(|command| (command.name, command)).collect()).get(name).copied()
}

#[cfg(test)]
mod tests {
    use firedrill_topology::ProductVersion;

    use super::*;
    use crate::signatures::{self, Binding};
    use crate::spellings::{self, SPELLINGS};

    const VERSIONS: [ProductVersion; 3] = [ProductVersion::Lync2013, ProductVersion::Sfb2015, ProductVersion::Sfb2019];

    /// A handler for a command that the reference does not know could never run.
    #[test]
    fn every_modelled_command_has_a_signature() {
        for command in all() {
            let signature = signatures::find(command.name).unwrap_or_else(|| panic!("{} has no signature", command.name));
            assert_eq!(signature.name, command.name, "the names differ in case");
            assert!(!signature.name_only, "{}", command.name);
        }
    }

    /// A misspelt name in a handler's list would silently make the parameter unmodelled.
    #[test]
    fn every_honoured_parameter_exists() {
        for command in all() {
            let signature = signatures::find(command.name).expect("checked above");
            let infos = VERSIONS.map(|version| signature.info(version, Binding::Procedures));
            for parameter in command.reads {
                let exists = infos.iter().any(|info| info.parameters.iter().any(|known| &*known.name == *parameter));
                assert!(exists, "{} reads -{parameter}", command.name);
            }
        }
    }

    /// Two entries for one command would hide one of them.
    #[test]
    fn no_command_is_there_twice() {
        let mut names: Vec<_> = all().map(|command| command.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    /// What a spelling stands for must be in the reference, and the spelling itself must not.
    #[test]
    fn spellings_stand_for_parameters_of_the_reference() {
        for spelling in SPELLINGS {
            let info = signatures::find(spelling.command).expect("a command of the product").info(ProductVersion::Sfb2015, Binding::Strict);
            let has = |name: &str| info.parameters.iter().any(|known| known.name.eq_ignore_ascii_case(name));
            assert!(has(spelling.means), "{} -{}", spelling.command, spelling.means);
            assert!(!has(spelling.name), "{} -{}", spelling.command, spelling.name);
            assert_eq!(spellings::meaning_of_spelling(spelling.command, &spelling.name.to_uppercase()), Some(spelling.means));
        }
    }
}
