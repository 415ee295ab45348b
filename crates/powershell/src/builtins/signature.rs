//! Signatures of built-ins, written as one line each.
//!
//! `Name|Alias:type` with marks behind the type: `@n` position, `!` mandatory, `^` takes the pipeline object, `~` takes
//! the property of that name, `*` takes the rest, `?` accepted without effect in the model, `{A,B}` the sets it belongs to.

use std::sync::Arc;

use crate::command::{CommandInfo, ConfirmImpact, ParameterInfo, ParameterSetInfo, ParameterType, SetMembership};

fn parameter_type(text: &str) -> ParameterType {
    if let Some(element) = text.strip_suffix("[]") {
        return ParameterType::Array(Box::new(parameter_type(element)));
    }
    match text {
        "string" => ParameterType::Text("System.String".into()),
        "switch" => ParameterType::Switch,
        "bool" => ParameterType::Bool,
        "int" => ParameterType::Integer("System.Int32".into(), i128::from(i32::MIN), i128::from(i32::MAX)),
        "double" => ParameterType::Double,
        "datetime" => ParameterType::DateTime,
        "timespan" => ParameterType::TimeSpan,
        "block" => ParameterType::ScriptBlock,
        "hashtable" => ParameterType::Hashtable,
        "category" => named_enum("System.Management.Automation.ErrorCategory"),
        "membertype" => named_enum("System.Management.Automation.PSMemberTypes"),
        "color" => named_enum("System.ConsoleColor"),
        "pathtype" => ParameterType::Enum(
            "Microsoft.PowerShell.Commands.TestPathType".into(),
            ["Any", "Container", "Leaf"].iter().map(|n| Arc::from(*n)).collect(),
        ),
        _ => ParameterType::Object,
    }
}

fn named_enum(full: &str) -> ParameterType {
    let members = crate::types::enumeration(full).unwrap_or_default();
    ParameterType::Enum(full.into(), members.iter().map(|(n, _)| Arc::from(*n)).collect())
}

/// Builds a signature from its line. `class` is the implementing type without its namespace.
pub(super) fn signature(name: &str, module: &str, class: &str, line: &str) -> CommandInfo {
    let mut sets: Vec<ParameterSetInfo> = Vec::new();
    let mut parameters = Vec::new();
    let mut should_process = false;
    for word in line.split_whitespace() {
        if word == "ShouldProcess" {
            should_process = true;
            continue;
        }
        let (names, rest) = word.split_once(':').unwrap_or((word, "object"));
        let mut names = names.split('|');
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '[' && c != ']').unwrap_or(rest.len());
        let (kind, marks) = rest.split_at(end);
        let mut member = SetMembership { set: None, mandatory: false, position: None, by_value: false, by_property_name: false };
        let (mut remaining, mut unmodelled, mut in_sets) = (false, false, Vec::new());
        let mut chars = marks.chars().peekable();
        while let Some(mark) = chars.next() {
            match mark {
                '@' => member.position = chars.next().and_then(|c| c.to_digit(10)),
                '!' => member.mandatory = true,
                '^' => member.by_value = true,
                '~' => member.by_property_name = true,
                '*' => remaining = true,
                '?' => unmodelled = true,
                '{' => {
                    let list: String = chars.by_ref().take_while(|c| *c != '}').collect();
                    for set in list.split(',') {
                        let at = sets.iter().position(|s| &*s.name == set).unwrap_or_else(|| {
                            sets.push(ParameterSetInfo { name: set.into() });
                            sets.len() - 1
                        });
                        in_sets.push(at);
                    }
                }
                _ => {}
            }
        }
        let memberships = if in_sets.is_empty() {
            vec![member]
        } else {
            in_sets.into_iter().map(|set| SetMembership { set: Some(set), ..member.clone() }).collect()
        };
        // A name that was there before says how the parameter stands in further sets.
        let name: Arc<str> = names.next().unwrap_or_default().into();
        if let Some(known) = parameters.iter_mut().find(|known: &&mut ParameterInfo| known.name == name) {
            known.memberships.extend(memberships);
            continue;
        }
        parameters.push(ParameterInfo {
            name,
            aliases: names.map(Arc::from).collect(),
            parameter_type: parameter_type(kind),
            memberships,
            remaining,
            allows: Vec::new(),
            procedure_spelling: false,
            unmodelled,
        });
    }
    if sets.is_empty() {
        sets.push(ParameterSetInfo { name: "__AllParameterSets".into() });
    }
    CommandInfo {
        name: name.into(),
        module: module.into(),
        parameters,
        sets,
        default_set: Some(0),
        supports_should_process: should_process,
        confirm_impact: ConfirmImpact::Medium,
        implementing_type: format!("Microsoft.PowerShell.Commands.{class}").into(),
    }
}
