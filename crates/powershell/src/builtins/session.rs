//! `Get-/Set-/Remove-Variable`, `Get-Command`, `Invoke-Expression`, `Set-StrictMode`, `Get-Host`.

use std::sync::Arc;

use super::{error, texts};
use crate::command::{BoundParameters, CommandInfo};
use crate::convert::shared_text;
use crate::error::Flow;
use crate::eval::like;
use crate::pipeline::{Context, VariableScope};
use crate::value::{PsObject, Value};

fn scope_of(parameters: &BoundParameters) -> VariableScope {
    match parameters.text("Scope").as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("global") => VariableScope::Global,
        Some("script") => VariableScope::Script,
        Some(number) => number.parse().map_or(VariableScope::Local, VariableScope::Parent),
        None => VariableScope::Local,
    }
}

/// The name with the scope that the parameters ask for.
fn scoped(parameters: &BoundParameters, name: &str) -> String {
    match scope_of(parameters) {
        VariableScope::Global => format!("global:{name}"),
        VariableScope::Script => format!("script:{name}"),
        VariableScope::Parent(steps) => format!("{steps}:{name}"),
        VariableScope::Local => name.to_string(),
    }
}

fn variable_missing(name: &str) -> crate::error::ErrorRecord {
    error(
        format!("Cannot find a variable with the name '{name}'."),
        "VariableNotFound",
        "ObjectNotFound",
        "System.Management.Automation.ItemNotFoundException",
    )
    .with_target(Value::str(name))
}

pub(super) fn variable_object(name: &str, value: Value) -> Value {
    PsObject::new("System.Management.Automation.PSVariable")
        .with("Name", name)
        .with("Description", "")
        .with("Value", value)
        .with("Visibility", "Public")
        .with("Options", "None")
        .into()
}

pub(super) fn get_variable(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let names = texts(parameters, "Name");
    let value_only = parameters.switch("ValueOnly");
    let emit = |name: &str, value: Value, cx: &mut dyn Context| {
        if value_only {
            match value.items() {
                Some(items) => items.into_iter().try_for_each(|i| cx.emit(i)),
                None => cx.emit(value),
            }
        } else {
            cx.emit(variable_object(name, value))
        }
    };
    let all: Vec<Arc<str>> = if names.is_empty() { vec!["*".into()] } else { names };
    for pattern in all {
        if super::properties::has_wildcard(&pattern) {
            let mut found: Vec<(Arc<str>, Value)> = cx.variables().into_iter().filter(|(n, _)| like(n, &pattern, false)).collect();
            found.sort_by(|(a, _), (b, _)| crate::convert::order_text(a, b, false));
            for (name, value) in found {
                emit(&name, value, cx)?;
            }
        } else {
            match cx.variable(&scoped(parameters, &pattern)) {
                Some(value) => emit(&pattern, value, cx)?,
                None => cx.write_error(variable_missing(&pattern))?,
            }
        }
    }
    Ok(())
}

pub(super) fn set_variable(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let value = match parameters.get("Value") {
        Some(value) => value.clone(),
        None => match items.as_slice() {
            [] => Value::Null,
            [one] => one.clone(),
            many => Value::array(many.to_vec()),
        },
    };
    for name in texts(parameters, "Name") {
        if cx.should_process(&format!("Name: {name} Value: {}", shared_text(&value)), "Set variable")? {
            if parameters.switch("Force") {
                cx.set_read_only(&name, scope_of(parameters), false);
            }
            cx.set_variable(&name, value.clone(), scope_of(parameters))?;
            if let Some(option) = parameters.get("Option").map(shared_text) {
                let read_only = ["readonly", "constant"].contains(&&*option.to_ascii_lowercase());
                cx.set_read_only(&name, scope_of(parameters), read_only);
            }
            if parameters.switch("PassThru") {
                cx.emit(variable_object(&name, value.clone()))?;
            }
        }
    }
    Ok(())
}

pub(super) fn new_variable(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let name = parameters.text("Name").unwrap_or_else(|| "".into());
    let level = match scope_of(parameters) {
        VariableScope::Local => cx.variable_in(&name, 0),
        _ => cx.variable(&scoped(parameters, &name)),
    };
    if level.is_some() && !parameters.switch("Force") {
        return cx.write_error(
            error(
                format!("A variable with name '{name}' already exists."),
                "VariableAlreadyExists",
                "ResourceExists",
                "System.Management.Automation.SessionStateException",
            )
            .with_target(Value::Str(name)),
        );
    }
    set_variable(
        &BoundParameters {
            values: vec![("Name".into(), Value::Str(name)), ("Value".into(), parameters.get("Value").cloned().unwrap_or(Value::Null))],
            ..parameters.clone()
        },
        Vec::new(),
        cx,
    )
}

pub(super) fn clear_variable(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for name in texts(parameters, "Name") {
        cx.set_variable(&name, Value::Null, scope_of(parameters))?;
    }
    Ok(())
}

pub(super) fn remove_variable(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for name in texts(parameters, "Name") {
        let matching: Vec<Arc<str>> = if super::properties::has_wildcard(&name) {
            cx.variables().into_iter().map(|(n, _)| n).filter(|n| like(n, &name, false)).collect()
        } else {
            vec![name.clone()]
        };
        for name in matching {
            if !cx.remove_variable(&scoped(parameters, &name)) {
                cx.write_error(variable_missing(&name))?;
            }
        }
    }
    Ok(())
}

pub(super) fn test_variable_strict(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    if parameters.switch("Off") {
        cx.set_strict_mode(None);
        return Ok(());
    }
    let version = parameters.get("Version").map_or_else(|| "latest".into(), shared_text).to_ascii_lowercase();
    let major = version.split('.').next().and_then(|v| v.parse::<u8>().ok());
    cx.set_strict_mode(Some(major.unwrap_or(3).clamp(1, 3)));
    Ok(())
}

/// One command as `Get-Command` shows it.
fn command_object(info: &CommandInfo, kind: &str) -> Value {
    let object = PsObject::new(if kind == "Function" {
        "System.Management.Automation.FunctionInfo"
    } else {
        "System.Management.Automation.CmdletInfo"
    });
    let mut object = object
        .with("CommandType", super::aliases::command_type(kind))
        .with("Name", info.name.clone())
        .with("Version", "")
        .with("Source", info.module.clone())
        .with("ModuleName", info.module.clone())
        .with(
            "Parameters",
            Value::hashtable(
                true,
                info.parameters.iter().map(|p| (p.name.clone(), Value::str(crate::binding::type_label(&p.parameter_type)))),
            ),
        )
        .with_text(info.name.clone());
    object.type_names.insert(1, "System.Management.Automation.CommandInfo".into());
    object.into()
}

pub(super) fn get_command(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let names = texts(parameters, "Name");
    let modules = texts(parameters, "Module");
    let kinds: Vec<String> =
        texts(parameters, "CommandType").iter().flat_map(|k| k.split(',').map(|k| k.trim().to_lowercase()).collect::<Vec<_>>()).collect();
    let (verbs, nouns) = (texts(parameters, "Verb"), texts(parameters, "Noun"));
    let all = cx.command_names();
    let patterns: Vec<Arc<str>> = if names.is_empty() { vec!["*".into()] } else { names };
    for pattern in patterns {
        let wild = super::properties::has_wildcard(&pattern);
        let candidates: Vec<Arc<str>> = if wild {
            let mut found: Vec<Arc<str>> = all.iter().filter(|n| like(n, &pattern, false)).cloned().collect();
            found.sort();
            found.dedup();
            found
        } else {
            vec![pattern.clone()]
        };
        let mut found = false;
        for name in candidates {
            let Some(info) = cx.command_info(&name) else { continue };
            let (verb, noun) = info.name.split_once('-').unwrap_or(("", &info.name));
            let fits = |list: &[Arc<str>], value: &str| list.is_empty() || list.iter().any(|p| like(value, p, false));
            if !fits(&modules, &info.module) || !fits(&verbs, verb) || !fits(&nouns, noun) {
                continue;
            }
            found = true;
            if parameters.switch("Syntax") {
                let lines = super::help::syntax(&info).join("\r\n\r\n");
                cx.emit(Value::str(format!("\r\n{lines}\r\n")))?;
                continue;
            }
            let kind = if *info.implementing_type == *info.name { "Function" } else { "Cmdlet" };
            if kinds.is_empty() || kinds.iter().any(|k| k == "all" || k.eq_ignore_ascii_case(kind)) {
                cx.emit(command_object(&info, kind))?;
            }
        }
        if !found && !wild {
            cx.write_error(
                error(
                    format!(
                        "The term '{pattern}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the spelling of \
                         the name, or if a path was included, verify that the path is correct and try again."
                    ),
                    "CommandNotFoundException",
                    "ObjectNotFound",
                    "System.Management.Automation.CommandNotFoundException",
                )
                .with_target(Value::Str(pattern)),
            )?;
        }
    }
    Ok(())
}

pub(super) fn invoke_expression(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let text = parameters.get("Command").map_or_else(|| "".into(), shared_text);
    cx.run_text(&text).map_err(|flow| match flow {
        // Text that does not parse is an error of this command.
        Flow::Error(mut failure) if &*failure.record.category == "ParserError" && !failure.record.id.contains(',') => {
            failure.record.id = format!("{},Microsoft.PowerShell.Commands.InvokeExpressionCommand", failure.record.id).into();
            Flow::Error(failure)
        }
        other => other,
    })
}

pub(super) fn get_host(_: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let object = PsObject::new("System.Management.Automation.Internal.Host.InternalHost")
        .with("Name", "ConsoleHost")
        .with("Version", Value::Version([5, 1, 17763, 1]))
        .with("CurrentCulture", "en-US")
        .with("CurrentUICulture", "en-US");
    cx.emit(object.into())
}

pub(super) fn get_culture(_: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let object = PsObject::new("System.Globalization.CultureInfo")
        .with("LCID", 1033)
        .with("Name", "en-US")
        .with("DisplayName", "English (United States)");
    cx.emit(object.with_text("en-US").into())
}

pub(super) fn hostname(_: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let name = cx.world().computer_name();
    let short = name.split('.').next().unwrap_or(&name).to_ascii_uppercase();
    cx.emit(Value::str(short))
}

pub(super) fn done(_: &BoundParameters, _: &mut dyn Context) -> Result<(), Flow> {
    Ok(())
}
