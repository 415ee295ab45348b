//! `Get-Help`, and the syntax of commands.

use std::sync::Arc;

use super::error;
use crate::command::{BoundParameters, CommandInfo, ParameterInfo, ParameterType, SetMembership};
use crate::error::Flow;
use crate::eval::like;
use crate::pipeline::Context;
use crate::value::{PsObject, Value};

fn syntax_type(kind: &ParameterType) -> String {
    let name = crate::binding::type_label(kind);
    let name = name.rsplit('.').next().unwrap_or(&name).to_owned();
    match name.as_str() {
        "String" => "string".into(),
        "String[]" => "string[]".into(),
        "Int32" => "int".into(),
        "Int32[]" => "int[]".into(),
        "Boolean" => "bool".into(),
        "Object" => "Object".into(),
        _ => name,
    }
}

fn parameter_syntax(parameter: &ParameterInfo, member: &SetMembership) -> String {
    let name = &parameter.name;
    if parameter.parameter_type == ParameterType::Switch {
        return if member.mandatory { format!("-{name}") } else { format!("[-{name}]") };
    }
    let kind = syntax_type(&parameter.parameter_type);
    match (member.mandatory, member.position.is_some()) {
        (true, true) => format!("[-{name}] <{kind}>"),
        (true, false) => format!("-{name} <{kind}>"),
        (false, true) => format!("[[-{name}] <{kind}>]"),
        (false, false) => format!("[-{name} <{kind}>]"),
    }
}

/// One line for each parameter set: `Verb-Noun [-Name] <string> [-Switch] [<CommonParameters>]`.
pub(super) fn syntax(info: &CommandInfo) -> Vec<String> {
    let mut lines = Vec::new();
    for at in 0..info.sets.len().max(1) {
        let mut inside: Vec<(&ParameterInfo, &SetMembership)> = info
            .parameters
            .iter()
            .filter_map(|p| p.memberships.iter().find(|m| m.set.is_none_or(|set| set == at)).map(|m| (p, m)))
            .collect();
        // Positional parameters stand first, then mandatory ones, then the rest as declared.
        inside.sort_by_key(|(_, m)| (m.position.unwrap_or(u32::MAX), !m.mandatory));
        let mut parts = vec![info.name.to_string()];
        parts.extend(inside.iter().map(|(p, m)| parameter_syntax(p, m)));
        if info.supports_should_process {
            parts.push("[-WhatIf]".into());
            parts.push("[-Confirm]".into());
        }
        parts.push("[<CommonParameters>]".into());
        lines.push(parts.join(" "));
    }
    lines
}

/// A section of a comment-based help, `.SYNOPSIS`, from the text of a function.
fn section(text: &str, keyword: &str) -> Option<String> {
    let start = text.find("<#")?;
    let comment = &text[start + 2..start + 2 + text[start + 2..].find("#>")?];
    let mut found: Option<Vec<&str>> = None;
    for line in comment.lines() {
        let trimmed = line.trim();
        if let Some(head) = trimmed.strip_prefix('.') {
            if found.is_some() {
                break;
            }
            if head.trim().eq_ignore_ascii_case(keyword) {
                found = Some(Vec::new());
            }
        } else if let Some(lines) = &mut found {
            lines.push(trimmed);
        }
    }
    found.map(|lines| lines.join("\n").trim().to_owned())
}

/// What a script says of itself in its comment-based help; `None` when there is no such script or it says nothing.
fn script_help(asked: &str, cx: &mut dyn Context) -> Option<Value> {
    if !asked.to_ascii_lowercase().ends_with(".ps1") {
        return None;
    }
    let text = super::decode_text(&super::files::read(asked, cx)?);
    let object = PsObject::new("MamlCommandHelpInfo")
        .with("Name", asked)
        .with("Category", "ExternalScript")
        .with("Synopsis", section(&text, "SYNOPSIS")?)
        .with("description", section(&text, "DESCRIPTION").unwrap_or_default())
        .with("examples", section(&text, "EXAMPLE").unwrap_or_default())
        .with_text(asked);
    Some(PsObject { default_view: ["Name", "Synopsis", "description"].iter().map(|n| Arc::from(*n)).collect(), ..object }.into())
}

/// `Get-Help`: names, synopsis of the script's own help, syntax and parameters.
pub(super) fn get_help(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let Some(asked) = parameters.text("Name") else {
        return cx.emit(Value::str("TOPIC\n    Windows PowerShell Help System\n\nSHORT DESCRIPTION\n    Displays help about Windows PowerShell cmdlets and concepts."));
    };
    let names: Vec<Arc<str>> = if super::properties::has_wildcard(&asked) {
        let mut all = cx.command_names();
        all.retain(|name| like(name, &asked, false));
        all
    } else {
        vec![asked.clone()]
    };
    let mut any = false;
    let many = names.len() > 1;
    for name in names {
        let Some(info) = cx.command_info(&name) else { continue };
        any = true;
        let text = match cx.variable(&format!("function:{}", info.name)) {
            Some(Value::Script(block)) => block.text.to_string(),
            _ => String::new(),
        };
        let lines = syntax(&info);
        let synopsis = section(&text, "SYNOPSIS").unwrap_or_else(|| lines.join("\n"));
        let category = if *info.implementing_type == *info.name { "Function" } else { "Cmdlet" };
        let object = PsObject::new(if many { "HelpInfoShort" } else { "MamlCommandHelpInfo" })
            .with("Name", info.name.clone())
            .with("Category", category)
            .with("Synopsis", synopsis)
            .with("Syntax", lines.join("\n"))
            .with("Component", Value::Null)
            .with("ModuleName", info.module.clone())
            .with("description", section(&text, "DESCRIPTION").unwrap_or_default())
            .with("examples", section(&text, "EXAMPLE").unwrap_or_default())
            .with("parameters", Value::array(info.parameters.iter().map(|p| Value::Str(p.name.clone())).collect()))
            .with_text(info.name.clone());
        let view: &[&str] = if many { &["Name", "Category", "ModuleName", "Synopsis"] } else { &["Name", "Synopsis", "Syntax"] };
        let object = PsObject { default_view: view.iter().map(|n| Arc::from(*n)).collect(), ..object };
        if let Some(wanted) = parameters.text("Parameter") {
            for parameter in info.parameters.iter().filter(|p| like(&p.name, &wanted, false)) {
                cx.emit(parameter_help(parameter))?;
            }
        } else {
            cx.emit(object.into())?;
        }
    }
    if let Some(help) = (!any).then(|| script_help(&asked, cx)).flatten() {
        return cx.emit(help);
    }
    if !any {
        cx.write_error(
            error(
                format!("Get-Help could not find {asked} in a help file in this session. To download updated help topics type: \"Update-Help\". To get help online, search for the help topic in the TechNet library at https:/go.microsoft.com/fwlink/?LinkID=107116."),
                "HelpNotFound",
                "ResourceUnavailable",
                "Microsoft.PowerShell.Commands.HelpNotFoundException",
            )
            .with_target(Value::Str(asked)),
        )?;
    }
    Ok(())
}

fn parameter_help(parameter: &ParameterInfo) -> Value {
    let member = parameter.memberships.first();
    PsObject::new("MamlCommandHelpInfo#parameter")
        .with("name", parameter.name.clone())
        .with("type", syntax_type(&parameter.parameter_type))
        .with("required", member.is_some_and(|m| m.mandatory).to_string())
        .with("position", member.and_then(|m| m.position).map_or_else(|| "named".to_owned(), |p| p.to_string()))
        .with("aliases", parameter.aliases.join(", "))
        .into()
}
