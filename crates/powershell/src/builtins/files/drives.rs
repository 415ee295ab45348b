//! The drives beside the file system: `env:`, `variable:`, `function:`, `alias:`, and drives of scripts.

use std::sync::Arc;

use super::{exists, foreign, full, not_found};
use crate::builtins::{error, texts};
use crate::command::BoundParameters;
use crate::convert::shared_text;
use crate::desk::Drive;
use crate::error::Flow;
use crate::eval::like;
use crate::paths;
use crate::pipeline::{Context, VariableScope};
use crate::types;
use crate::value::{PsObject, Value};

/// Environment variables that every server has.
const ENVIRONMENT: &[&str] = &[
    "ALLUSERSPROFILE",
    "APPDATA",
    "CommonProgramFiles",
    "COMPUTERNAME",
    "ComSpec",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "LOGONSERVER",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "Path",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "ProgramData",
    "ProgramFiles",
    "PSModulePath",
    "PUBLIC",
    "SystemDrive",
    "SystemRoot",
    "TEMP",
    "TMP",
    "USERDNSDOMAIN",
    "USERDOMAIN",
    "USERNAME",
    "USERPROFILE",
    "windir",
];

/// The drive and the name of an item of one of these drives.
fn item_of(path: &str) -> Option<(String, &str)> {
    let drive = paths::other_drive(path)?.to_ascii_lowercase();
    let (_, rest) = path.split_once(':')?;
    matches!(drive.as_str(), "env" | "variable" | "function" | "alias").then(|| (drive, rest.trim_matches(['\\', '/'])))
}

/// Whether a path names an item of one of these drives.
pub(super) fn is_drive_item(path: &str) -> bool {
    item_of(path).is_some()
}

fn lookup(drive: &str, name: &str, cx: &mut dyn Context) -> Option<Value> {
    match drive {
        "variable" => cx.variable(name),
        "function" => cx.variable(&format!("function:{name}")).filter(|v| !v.is_null()),
        "alias" => cx.aliases().into_iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)).map(|(_, target)| Value::Str(target)),
        _ => cx.variable(&format!("env:{name}")).filter(|v| !v.is_null()),
    }
}

/// The value behind `env:NAME`, `variable:name` …
pub(super) fn value_of(path: &str, cx: &mut dyn Context) -> Option<Value> {
    let (drive, name) = item_of(path)?;
    lookup(&drive, name, cx)
}

/// Names of a drive that match a pattern.
fn names(drive: &str, pattern: &str, cx: &mut dyn Context) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = match drive {
        "variable" => cx.variables().into_iter().map(|(name, _)| name).collect(),
        "alias" => cx.aliases().into_iter().map(|(name, _)| name).collect(),
        "function" => cx.command_names().into_iter().filter(|n| lookup("function", n, cx).is_some()).collect(),
        _ => {
            let mut names: Vec<Arc<str>> = ENVIRONMENT.iter().map(|n| Arc::from(*n)).collect();
            names.extend(cx.variables().into_iter().filter_map(|(n, _)| n.strip_prefix("env:").map(Arc::from)));
            names
        }
    };
    all.retain(|name| pattern.is_empty() || like(name, pattern, false));
    all.sort_by(|a, b| crate::convert::order_text(a, b, false));
    all.dedup();
    all
}

fn object(drive: &str, name: &str, value: Value) -> Value {
    match drive {
        "variable" => crate::builtins::session::variable_object(name, value),
        "env" => types::dictionary_entry(&Value::str(name), &value),
        "alias" => crate::builtins::aliases::alias_object(name, &shared_text(&value)),
        _ => PsObject::new("System.Management.Automation.FunctionInfo")
            .with("CommandType", "Function")
            .with("Name", name)
            .with("Definition", if let Value::Script(block) = &value { Value::Str(block.text.clone()) } else { Value::Null })
            .with("ScriptBlock", value)
            .with_text(name)
            .into(),
    }
}

/// Items of one of these drives; `None` when the path leads elsewhere.
pub(super) fn items(path: &str, cx: &mut dyn Context) -> Option<Vec<Value>> {
    let (drive, name) = item_of(path)?;
    if !name.is_empty() && !crate::builtins::properties::has_wildcard(name) {
        return Some(lookup(&drive, name, cx).map(|value| object(&drive, name, value)).into_iter().collect());
    }
    let mut found = Vec::new();
    for name in names(&drive, name, cx) {
        if let Some(value) = lookup(&drive, &name, cx) {
            found.push(object(&drive, &name, value));
        }
    }
    Some(found)
}

/// Whether something of these drives exists; `None` when the path leads elsewhere.
pub(super) fn item_exists(path: &str, cx: &mut dyn Context) -> Option<bool> {
    let (drive, name) = item_of(path)?;
    Some(
        name.is_empty()
            || if crate::builtins::properties::has_wildcard(name) {
                !names(&drive, name, cx).is_empty()
            } else {
                lookup(&drive, name, cx).is_some()
            },
    )
}

/// Writes an item of one of these drives.
pub(super) fn put_value(path: &str, mut values: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let Some((drive, name)) = item_of(path) else { return Ok(()) };
    let value = if values.len() == 1 { values.remove(0) } else { Value::array(values) };
    match drive.as_str() {
        "variable" => cx.set_variable(name, value, VariableScope::Local),
        "alias" => {
            cx.set_alias(name, &shared_text(&value));
            Ok(())
        }
        "function" => {
            cx.unmodelled("Set-Item of a function");
            Ok(())
        }
        _ => cx.set_variable(&format!("env:{name}"), value, VariableScope::Local),
    }
}

/// Removes an item of one of these drives; `None` when the path leads elsewhere.
pub(super) fn remove(path: &str, cx: &mut dyn Context) -> Option<bool> {
    let (drive, name) = item_of(path)?;
    let matching = if crate::builtins::properties::has_wildcard(name) { names(&drive, name, cx) } else { vec![name.into()] };
    let mut removed = false;
    for name in matching {
        removed |= match drive.as_str() {
            "variable" => cx.remove_variable(&name),
            "alias" => cx.remove_alias(&name),
            "function" => {
                cx.unmodelled("Remove-Item of a function");
                true
            }
            _ => {
                let there = lookup("env", &name, cx).is_some();
                let _ = cx.set_variable(&format!("env:{name}"), Value::Null, VariableScope::Global);
                there
            }
        };
    }
    Some(removed)
}

/// `Set-Item`.
pub(in crate::builtins) fn set_item(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for path in texts(parameters, "Path") {
        let value = parameters.get("Value").cloned().unwrap_or(Value::Null);
        if is_drive_item(&path) {
            if cx.should_process(&format!("Item: {path} Value: {}", shared_text(&value)), "Set Item")? {
                put_value(&path, vec![value], cx)?;
            }
        } else if !foreign(&path, cx) {
            let full = full(&path, cx);
            cx.write_error(
                error(
                    "Provider operation stopped because the provider does not support this operation.",
                    "NotSupported",
                    "NotImplemented",
                    "System.Management.Automation.PSNotSupportedException",
                )
                .with_target(Value::str(full)),
            )?;
        }
    }
    Ok(())
}

/// `Get-ItemProperty`, `Get-ItemPropertyValue`: of files; the registry is not modelled.
pub(in crate::builtins) fn get_item_property(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let (paths, wildcards) = super::asked(parameters);
    let names = texts(parameters, "Name");
    for path in paths {
        if foreign(&path, cx) {
            continue;
        }
        let found = super::matching(&path, wildcards, cx);
        if found.is_empty() {
            let record = not_found(&path, cx);
            cx.write_error(record)?;
        }
        for entry in found {
            let object = super::file_object(&entry, super::Spelling::Full);
            if names.is_empty() {
                cx.emit(object)?;
                continue;
            }
            let chosen = PsObject::custom();
            for name in &names {
                match types::property(&object, name) {
                    Some(value) => chosen.set(name, value),
                    None => cx.write_error(
                        error(
                            format!("Property {name} does not exist at path {}.", entry.path),
                            "System.Management.Automation.PSArgumentException",
                            "InvalidArgument",
                            "System.Management.Automation.PSArgumentException",
                        )
                        .with_target(Value::Str(name.clone())),
                    )?,
                }
            }
            cx.emit(chosen.into())?;
        }
    }
    Ok(())
}

/// `Set-ItemProperty`, `New-ItemProperty`, `Remove-ItemProperty`: none of them is modelled.
pub(in crate::builtins) fn write_item_property(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for path in super::asked(parameters).0 {
        if !foreign(&path, cx) {
            cx.unmodelled(&format!("properties of {path}"));
        }
    }
    Ok(())
}

fn drive_object(name: &str, provider: &str, root: &str) -> Value {
    let object = PsObject::new("System.Management.Automation.PSDriveInfo")
        .with("Name", name)
        .with("Provider", provider)
        .with("Root", root)
        .with("Description", "")
        .with("CurrentLocation", "")
        .with_text(name);
    PsObject { default_view: ["Name", "Provider", "Root"].iter().map(|n| Arc::from(*n)).collect(), ..object }.into()
}

/// `Get-PSDrive`.
pub(in crate::builtins) fn get_drive(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let mut all: Vec<(Arc<str>, &str, Arc<str>)> = vec![
        ("Alias".into(), "Alias", "".into()),
        ("C".into(), "FileSystem", "C:\\".into()),
        ("Env".into(), "Environment", "".into()),
        ("Function".into(), "Function", "".into()),
        ("Variable".into(), "Variable", "".into()),
    ];
    all.extend(cx.desk().drives.values().map(|drive| (drive.name.clone(), "FileSystem", drive.root.clone())));
    all.sort_by(|a, b| crate::convert::order_text(&a.0, &b.0, false));
    let (names, providers) = (texts(parameters, "Name"), texts(parameters, "PSProvider"));
    for name in &names {
        if !crate::builtins::properties::has_wildcard(name) && !all.iter().any(|(n, ..)| n.eq_ignore_ascii_case(name)) {
            cx.write_error(
                error(
                    format!("Cannot find drive. A drive with the name '{name}' does not exist."),
                    "GetLocationNoMatchingDrive",
                    "ObjectNotFound",
                    "System.Management.Automation.DriveNotFoundException",
                )
                .with_target(Value::Str(name.clone())),
            )?;
        }
    }
    for (name, provider, root) in all {
        let wanted = |list: &[Arc<str>], text: &str| list.is_empty() || list.iter().any(|p| like(text, p, false));
        if wanted(&names, &name) && wanted(&providers, provider) {
            cx.emit(drive_object(&name, provider, &root))?;
        }
    }
    Ok(())
}

/// `New-PSDrive` over a folder or a share.
pub(in crate::builtins) fn new_drive(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let text = |name: &str| parameters.text(name).unwrap_or_else(|| "".into());
    let (name, provider, root) = (text("Name"), text("PSProvider"), text("Root"));
    if !provider.to_ascii_lowercase().ends_with("filesystem") {
        cx.unmodelled(&format!("New-PSDrive -PSProvider {provider}"));
        return Ok(());
    }
    if cx.desk().drives.contains_key(&name.to_lowercase()) || name.eq_ignore_ascii_case("c") {
        return cx.write_error(
            error(
                format!("A drive with the name '{name}' already exists."),
                "DriveAlreadyExists",
                "ResourceExists",
                "System.Management.Automation.SessionStateException",
            )
            .with_target(Value::Str(name)),
        );
    }
    let root = full(&root, cx);
    if !exists(&root, cx) {
        return cx.write_error(
            error(
                format!("The specified drive root \"{root}\" either does not exist, or it is not a folder."),
                "DriveRootError",
                "ReadError",
                "System.IO.IOException",
            )
            .with_target(Value::str(name)),
        );
    }
    if cx.should_process(&format!("Name: {name} Provider: Microsoft.PowerShell.Core\\FileSystem Root: {root}"), "New drive")? {
        let root: Arc<str> = root.into();
        cx.desk().drives.insert(name.to_lowercase(), Drive { name: name.clone(), root: root.clone() });
        cx.emit(drive_object(&name, "FileSystem", &root))?;
    }
    Ok(())
}

/// `Remove-PSDrive`.
pub(in crate::builtins) fn remove_drive(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for name in texts(parameters, "Name") {
        if cx.desk().drives.remove(&name.trim_end_matches(':').to_lowercase()).is_none() {
            cx.write_error(
                error(
                    format!("Cannot find drive. A drive with the name '{name}' does not exist."),
                    "DriveNotFound",
                    "ObjectNotFound",
                    "System.Management.Automation.DriveNotFoundException",
                )
                .with_target(Value::Str(name.clone())),
            )?;
        }
    }
    Ok(())
}
