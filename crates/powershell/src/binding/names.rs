//! What a name on a command line means: parameters, aliases, prefixes, common parameters.

use std::sync::Arc;

use super::{BindOptions, Target, binding_error};
use crate::command::{CommandInfo, ParameterInfo, ParameterType};
use crate::error::ErrorRecord;

/// Common parameters: name, alias, kind.
const COMMON: &[(&str, &str, CommonKind)] = &[
    ("Verbose", "vb", CommonKind::Switch),
    ("Debug", "db", CommonKind::Switch),
    ("ErrorAction", "ea", CommonKind::Preference),
    ("WarningAction", "wa", CommonKind::Preference),
    ("InformationAction", "infa", CommonKind::Preference),
    ("ErrorVariable", "ev", CommonKind::Text),
    ("WarningVariable", "wv", CommonKind::Text),
    ("InformationVariable", "iv", CommonKind::Text),
    ("OutVariable", "ov", CommonKind::Text),
    ("OutBuffer", "ob", CommonKind::Number),
    ("PipelineVariable", "pv", CommonKind::Text),
];

/// Exist only with `SupportsShouldProcess`.
const SHOULD_PROCESS: &[(&str, &str, CommonKind)] = &[("WhatIf", "wi", CommonKind::Switch), ("Confirm", "cf", CommonKind::Switch)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommonKind {
    Switch,
    Preference,
    Text,
    Number,
}

impl CommonKind {
    pub(super) fn parameter_type(self) -> ParameterType {
        match self {
            Self::Switch => ParameterType::Switch,
            Self::Preference => {
                let members = crate::types::enumeration("System.Management.Automation.ActionPreference").unwrap_or_default();
                ParameterType::Enum(
                    "System.Management.Automation.ActionPreference".into(),
                    members.iter().map(|(n, _)| Arc::from(*n)).collect(),
                )
            }
            Self::Text => ParameterType::Text("System.String".into()),
            Self::Number => ParameterType::Integer("System.Int32".into(), i128::from(i32::MIN), i128::from(i32::MAX)),
        }
    }
}

/// The parameter that a name means: exact name, exact alias, unique prefix of either.
pub(super) fn find(info: &CommandInfo, name: &str, options: BindOptions) -> Result<Option<Target>, ErrorRecord> {
    let visible = |p: &&ParameterInfo| !(options.strict && p.procedure_spelling);
    let own = || info.parameters.iter().enumerate().filter(|(_, p)| visible(p));
    if let Some((at, _)) = own().find(|(_, p)| p.name.eq_ignore_ascii_case(name)) {
        return Ok(Some(Target::Own(at)));
    }
    let common: Vec<&(&'static str, &'static str, CommonKind)> = if options.common_parameters {
        COMMON.iter().chain(SHOULD_PROCESS.iter().filter(|_| info.supports_should_process)).collect()
    } else {
        Vec::new()
    };
    if let Some((full, _, kind)) = common.iter().find(|(full, _, _)| full.eq_ignore_ascii_case(name)) {
        return Ok(Some(Target::Common(full, *kind)));
    }
    if let Some((at, _)) = own().find(|(_, p)| p.aliases.iter().any(|a| a.eq_ignore_ascii_case(name))) {
        return Ok(Some(Target::Own(at)));
    }
    if let Some((full, _, kind)) = common.iter().find(|(_, alias, _)| alias.eq_ignore_ascii_case(name)) {
        return Ok(Some(Target::Common(full, *kind)));
    }
    if name.is_empty() {
        return Ok(None);
    }
    let starts = |full: &str| full.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    let mut matches: Vec<(Target, &str)> = own().filter(|(_, p)| starts(&p.name)).map(|(at, p)| (Target::Own(at), &*p.name)).collect();
    // Spellings of the procedures never make a real prefix ambiguous.
    if matches.len() > 1 {
        let real: Vec<_> =
            matches.iter().filter(|(t, _)| !matches!(t, Target::Own(at) if info.parameters[*at].procedure_spelling)).copied().collect();
        if !real.is_empty() {
            matches = real;
        }
    }
    matches.extend(common.iter().filter(|(full, _, _)| starts(full)).map(|(full, _, kind)| (Target::Common(full, *kind), *full)));
    for (at, p) in own() {
        if p.aliases.iter().any(|a| starts(a)) && !matches.iter().any(|(t, _)| matches!(t, Target::Own(m) if *m == at)) {
            matches.push((Target::Own(at), &p.name));
        }
    }
    match matches.as_slice() {
        [] => Ok(None),
        [(target, _)] => Ok(Some(*target)),
        several => {
            let mut declared = several.iter().filter(|(t, _)| matches!(t, Target::Own(_)));
            if let (Some((target, _)), None) = (declared.next(), declared.next()) {
                return Ok(Some(*target));
            }
            let list: String = several.iter().map(|(_, full)| format!(" -{full}")).collect();
            Err(binding_error(
                format!("Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible matches include:{list}."),
                "AmbiguousParameter",
            ))
        }
    }
}
