//! Spellings that the product's procedures print and its reference does not know.
//!
//! They bind by default, so that a runbook copied from the documents runs, and leave a remark. Strict binding never
//! sees this module. Source: `procedures.md`, "The two ways of binding parameters"; dossier K.2, K.3, K.6, K.7.

use firedrill_powershell::command::{ParameterInfo, ParameterSetInfo, SetMembership};
use firedrill_powershell::{CommandInfo, ParameterType};

/// One spelling: command, parameter, whether it is a switch, and the parameter of the reference that it stands for.
pub(crate) struct Spelling {
    pub(crate) command: &'static str,
    pub(crate) name: &'static str,
    pub(crate) switch: bool,
    pub(crate) means: &'static str,
}

/// All spellings.
pub(crate) const SPELLINGS: &[Spelling] = &[
    Spelling { command: "Set-CsSite", name: "XmppExternalFederationRoute", switch: false, means: "XmppFederationRoute" },
    Spelling { command: FAILOVER, name: "MirrorSQLServerFqdn", switch: false, means: "BackupMirrorSqlServerFqdn" },
    Spelling { command: FAILOVER, name: "MirrorSQLInstanceName", switch: false, means: "BackupMirrorSqlInstanceName" },
    Spelling { command: "Get-CsBackupServiceStatus", name: "BackupModule", switch: false, means: "Category" },
    Spelling { command: "Import-CsRgsConfiguration", name: "ReplaceExistingSettings", switch: true, means: "ReplaceExistingRgsSettings" },
    Spelling { command: "Get-CsComputer", name: "PoolFqdn", switch: false, means: "Pool" },
];

const FAILOVER: &str = "Invoke-CsManagementServerFailover";
/// The set that takes the procedure's form for a mirror that is principal.
pub(crate) const MIRROR_SET: &str = "DisasterRecoveryMirror";

/// Adds the spellings of a command to its signature.
pub(crate) fn add(info: &mut CommandInfo) {
    let failover = &*info.name == FAILOVER;
    if failover {
        relax_failover(info);
    }
    for spelling in SPELLINGS.iter().filter(|spelling| spelling.command == &*info.name) {
        let mirror = failover.then(|| info.sets.len() - 1);
        let parameter_type = if spelling.switch { ParameterType::Switch } else { ParameterType::Text("System.String".into()) };
        info.parameters.push(ParameterInfo {
            name: spelling.name.into(),
            aliases: Vec::new(),
            parameter_type,
            memberships: vec![SetMembership {
                set: mirror,
                mandatory: failover && spelling.name == "MirrorSQLServerFqdn",
                position: None,
                by_value: false,
                by_property_name: false,
            }],
            remaining: false,
            allows: Vec::new(),
            procedure_spelling: true,
            unmodelled: false,
        });
    }
}

/// The parameter of the reference that a procedure spelling stands for, `XmppFederationRoute` for
/// `XmppExternalFederationRoute`.
pub fn meaning_of_spelling(command: &str, parameter: &str) -> Option<&'static str> {
    let found = SPELLINGS.iter().find(|s| s.command.eq_ignore_ascii_case(command) && s.name.eq_ignore_ascii_case(parameter));
    found.map(|spelling| spelling.means)
}

/// The procedure leaves `-Force` out, and names the mirror alone when the mirror is principal.
fn relax_failover(info: &mut CommandInfo) {
    let mirror = info.sets.len();
    info.sets.push(ParameterSetInfo { name: MIRROR_SET.into() });
    for parameter in &mut info.parameters {
        if &*parameter.name != "Force" {
            continue;
        }
        for membership in &mut parameter.memberships {
            membership.mandatory = false;
        }
        parameter.memberships.push(SetMembership {
            set: Some(mirror),
            mandatory: false,
            position: None,
            by_value: false,
            by_property_name: false,
        });
    }
}
