//! `Test-Path`, `Join-Path`, `Split-Path`, `Resolve-Path`, `Convert-Path`, and locations.

use super::{admitted, asked, foreign, full, leaf, matching, not_found};
use crate::builtins::properties::has_wildcard;
use crate::builtins::{error, path_info, texts};
use crate::command::BoundParameters;
use crate::error::{ErrorRecord, Flow};
use crate::paths;
use crate::pipeline::Context;
use crate::value::Value;

/// `Test-Path`.
pub(in crate::builtins) fn test_path(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let kind = parameters.text("PathType").unwrap_or_else(|| "Any".into()).to_ascii_lowercase();
    let (paths, wildcards) = asked(parameters);
    for path in paths {
        if path.trim().is_empty() {
            return Err(error(
                "Cannot bind argument to parameter 'Path' because it is an empty string.",
                "ParameterArgumentValidationErrorEmptyStringNotAllowed",
                "InvalidData",
                "System.Management.Automation.ParameterBindingValidationException",
            )
            .into());
        }
        if parameters.switch("IsValid") {
            let valid = !path.contains(['<', '>', '|', '"']) && !path.get(2..).is_some_and(|rest| rest.contains(':'));
            cx.emit(Value::Bool(valid))?;
            continue;
        }
        if let Some(there) = super::drives::item_exists(&path, cx) {
            cx.emit(Value::Bool(there && kind != "container"))?;
            continue;
        }
        if foreign(&path, cx) {
            cx.emit(Value::Bool(false))?;
            continue;
        }
        let (newer, older) = (parameters.get("NewerThan"), parameters.get("OlderThan"));
        let found = matching(&path, wildcards, cx);
        let there = found.iter().any(|entry| {
            let fits = match kind.as_str() {
                "leaf" => !entry.folder,
                "container" => entry.folder,
                _ => true,
            };
            let after = matches!(newer, Some(Value::DateTime(at)) if entry.written <= *at);
            let before = matches!(older, Some(Value::DateTime(at)) if entry.written >= *at);
            fits && !after && !before && admitted(leaf(&entry.path), parameters)
        });
        cx.emit(Value::Bool(there))?;
    }
    Ok(())
}

fn joined(parent: &str, child: &str) -> String {
    let (parent, child) = (parent.replace('/', "\\"), child.replace('/', "\\"));
    let child = child.trim_start_matches('\\');
    if parent.is_empty() {
        // Without a parent the result starts at the root of the drive.
        return format!("\\{child}");
    }
    let parent = parent.trim_end_matches('\\');
    format!("{parent}\\{child}")
}

/// `Join-Path`.
pub(in crate::builtins) fn join_path(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let child = parameters.get("ChildPath").map_or_else(|| "".into(), crate::convert::shared_text);
    for path in texts(parameters, "Path") {
        let joined = joined(&path, &child);
        if parameters.switch("Resolve") {
            resolve(&joined, true, cx)?;
        } else {
            cx.emit(Value::str(joined))?;
        }
    }
    Ok(())
}

/// `Split-Path`.
pub(in crate::builtins) fn split_path(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let (named, _) = asked(parameters);
    for given in named {
        let resolved: Vec<String> = if parameters.switch("Resolve") {
            let found: Vec<String> = matching(&given, true, cx).iter().map(|e| e.path.to_string()).collect();
            if found.is_empty() && !has_wildcard(&given) {
                let record = not_found(&given, cx);
                cx.write_error(record)?;
            }
            found
        } else {
            vec![given.to_string()]
        };
        for path in resolved {
            let plain = if path.len() > 3 { path.trim_end_matches(['\\', '/']) } else { &path };
            let cut = plain.rfind(['\\', '/']);
            let leaf = cut.filter(|_| !plain.ends_with(":\\")).map_or(plain, |at| &plain[at + 1..]);
            let colon = plain.find(':').filter(|_| !plain.starts_with("\\\\"));
            if parameters.switch("Leaf") {
                cx.emit(Value::str(leaf))?;
            } else if parameters.switch("Qualifier") {
                match colon {
                    Some(at) => cx.emit(Value::str(&path[..=at]))?,
                    None => cx.write_error(
                        error(
                            format!("Cannot parse path because path '{path}' does not have a qualifier specified."),
                            "ParsePathFormatError",
                            "InvalidArgument",
                            "System.FormatException",
                        )
                        .with_target(Value::str(path.as_str())),
                    )?,
                }
            } else if parameters.switch("NoQualifier") {
                cx.emit(Value::str(colon.map_or(&*path, |at| &path[at + 1..])))?;
            } else if parameters.switch("IsAbsolute") {
                cx.emit(Value::Bool(path.contains(":\\") || path.contains(":/") || path.starts_with("\\\\")))?;
            } else {
                let parent = match cut {
                    None => "",
                    Some(_) if plain.ends_with(":\\") => "",
                    Some(at) if plain[..at].ends_with(':') => &plain[..=at],
                    Some(at) => &plain[..at],
                };
                cx.emit(Value::str(parent))?;
            }
        }
    }
    Ok(())
}

fn resolve(path: &str, plain: bool, cx: &mut dyn Context) -> Result<(), Flow> {
    if foreign(path, cx) {
        return Ok(());
    }
    let found = matching(path, true, cx);
    if found.is_empty() && !has_wildcard(path) {
        let record = not_found(path, cx);
        return cx.write_error(record);
    }
    for entry in found {
        cx.emit(if plain { Value::Str(entry.path.clone()) } else { path_info(&entry.path) })?;
    }
    Ok(())
}

/// `Resolve-Path`.
pub(in crate::builtins) fn resolve_path(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for path in asked(parameters).0 {
        if parameters.switch("Relative") {
            let here = cx.world().location();
            for entry in matching(&path, true, cx) {
                cx.emit(Value::str(relative(&here, &entry.path)))?;
            }
            continue;
        }
        resolve(&path, false, cx)?;
    }
    Ok(())
}

/// A path from a location: `.\a`, `..\b`.
fn relative(here: &str, path: &str) -> String {
    let (mut from, mut to): (Vec<&str>, Vec<&str>) = (here.trim_end_matches('\\').split('\\').collect(), path.split('\\').collect());
    if from.first().map(|d| d.to_lowercase()) != to.first().map(|d| d.to_lowercase()) {
        return path.to_owned();
    }
    while !from.is_empty() && !to.is_empty() && from[0].eq_ignore_ascii_case(to[0]) {
        from.remove(0);
        to.remove(0);
    }
    if from.is_empty() {
        return format!(".\\{}", to.join("\\"));
    }
    let up = vec![".."; from.len()].join("\\");
    if to.is_empty() { up } else { format!("{up}\\{}", to.join("\\")) }
}

/// `Convert-Path`.
pub(in crate::builtins) fn convert_path(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    asked(parameters).0.iter().try_for_each(|path| resolve(path, true, cx))
}

fn no_place(path: &str, cx: &mut dyn Context) -> ErrorRecord {
    not_found(path, cx)
}

/// Goes to a folder; says whether it did.
fn go(path: &str, cx: &mut dyn Context) -> Result<bool, Flow> {
    if foreign(path, cx) {
        return Ok(false);
    }
    if paths::other_drive(path)
        .is_some_and(|drive| matches!(drive.to_ascii_lowercase().as_str(), "env" | "variable" | "function" | "alias"))
    {
        cx.unmodelled(&format!("Set-Location {path}"));
        return Ok(false);
    }
    let found = matching(path, true, cx);
    let Some(entry) = found.iter().find(|entry| entry.folder) else {
        let record = no_place(path, cx);
        cx.write_error(record)?;
        return Ok(false);
    };
    let place = full(&entry.path, cx);
    cx.world().set_location(&place);
    Ok(true)
}

fn pass(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    if parameters.switch("PassThru") {
        let here = cx.world().location();
        return cx.emit(path_info(&here));
    }
    Ok(())
}

/// `Set-Location`.
pub(in crate::builtins) fn set_location(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let path = parameters.text("Path").or_else(|| parameters.text("LiteralPath")).unwrap_or_else(|| paths::HOME.into());
    go(&path, cx)?;
    pass(parameters, cx)
}

/// `Push-Location`.
pub(in crate::builtins) fn push_location(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let here = cx.world().location();
    let path = parameters.text("Path").or_else(|| parameters.text("LiteralPath"));
    let went = match path {
        Some(path) => go(&path, cx)?,
        None => true,
    };
    if went {
        cx.desk().locations.push(here);
    }
    pass(parameters, cx)
}

/// `Pop-Location`.
pub(in crate::builtins) fn pop_location(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    if let Some(place) = cx.desk().locations.pop() {
        cx.world().set_location(&place);
    }
    pass(parameters, cx)
}

/// `Get-Location`.
pub(in crate::builtins) fn get_location(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    if parameters.switch("Stack") {
        let stack: Vec<String> = cx.desk().locations.iter().rev().cloned().collect();
        return stack.into_iter().try_for_each(|place| cx.emit(path_info(&place)));
    }
    let here = cx.world().location();
    cx.emit(path_info(&here))
}
