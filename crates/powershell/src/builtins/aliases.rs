//! Aliases of the session, and what modules export.

use std::sync::Arc;

use super::{error, texts};
use crate::command::BoundParameters;
use crate::error::Flow;
use crate::eval::{Exports, like};
use crate::pipeline::Context;
use crate::value::{PsObject, Value};

fn alias_object(name: &str, command: &str) -> Value {
    let object = PsObject::new("System.Management.Automation.AliasInfo")
        .with("CommandType", "Alias")
        .with("Name", name)
        .with("Definition", command)
        .with("ResolvedCommandName", command)
        .with("DisplayName", format!("{name} -> {command}"))
        .with_text(name);
    PsObject { default_view: ["CommandType", "DisplayName"].iter().map(|n| Arc::from(*n)).collect(), ..object }.into()
}

pub(super) fn set_alias(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let (name, value) = (parameters.text("Name").unwrap_or_default(), parameters.text("Value").unwrap_or_default());
    if !cx.should_process(&format!("Name: {name} Value: {value}"), "Set Alias")? {
        return Ok(());
    }
    cx.set_alias(&name, &value);
    if parameters.switch("PassThru") { cx.emit(alias_object(&name, &value)) } else { Ok(()) }
}

pub(super) fn new_alias(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let name = parameters.text("Name").unwrap_or_default();
    if !parameters.switch("Force") && cx.aliases().iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
        let message = format!("The alias is not allowed, because an alias with the name '{name}' already exists.");
        let record = error(message, "AliasAlreadyExists", "ResourceExists", "System.Management.Automation.SessionStateException");
        return cx.write_error(record.with_target(Value::Str(name)));
    }
    set_alias(parameters, cx)
}

pub(super) fn get_alias(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let (names, definitions) = (texts(parameters, "Name"), texts(parameters, "Definition"));
    let all = cx.aliases();
    let fits = |list: &[Arc<str>], text: &str| list.is_empty() || list.iter().any(|p| like(text, p, false));
    for (name, command) in &all {
        if fits(&names, name) && fits(&definitions, command) {
            cx.emit(alias_object(name, command))?;
        }
    }
    for name in names.iter().filter(|n| !super::properties::has_wildcard(n)) {
        if !all.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            let message = format!("This command cannot find a matching alias because an alias with the name '{name}' does not exist.");
            let record = error(message, "ItemNotFoundException", "ObjectNotFound", "System.Management.Automation.ItemNotFoundException");
            cx.write_error(record.with_target(Value::Str(name.clone())))?;
        }
    }
    Ok(())
}

pub(super) fn export_module_member(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let exports =
        Exports { functions: texts(parameters, "Function"), variables: texts(parameters, "Variable"), aliases: texts(parameters, "Alias") };
    if cx.export_module_member(exports) {
        return Ok(());
    }
    let message = "The Export-ModuleMember cmdlet can only be called from inside a module.";
    Err(error(message, "Modules_CanOnlyExecuteExportModuleMemberInsideAModule", "PermissionDenied", "System.InvalidOperationException")
        .into())
}
