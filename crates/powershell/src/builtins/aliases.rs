//! Aliases of the session, and what modules export.

use std::sync::Arc;

use super::{error, texts};
use crate::command::BoundParameters;
use crate::error::Flow;
use crate::eval::{Exports, like};
use crate::pipeline::Context;
use crate::value::{EnumValue, PsObject, Value};

/// A member of `System.Management.Automation.CommandTypes`.
pub(super) fn command_type(name: &str) -> Value {
    let number = match name {
        "Alias" => 1,
        "Function" => 2,
        _ => 8,
    };
    Value::Enum(Arc::new(EnumValue { type_name: "System.Management.Automation.CommandTypes".into(), name: name.into(), number }))
}

/// An alias as `Get-Alias` gives it.
pub(super) fn alias_object(name: &str, target: &str) -> Value {
    let object = PsObject::new("System.Management.Automation.AliasInfo")
        .with("CommandType", command_type("Alias"))
        .with("Name", name)
        .with("DisplayName", format!("{name} -> {target}"))
        .with("Definition", target)
        .with("ReferencedCommand", target)
        .with("ResolvedCommandName", target)
        .with("Version", "")
        .with("Source", "")
        .with_text(name);
    let mut object =
        PsObject { default_view: ["CommandType", "DisplayName", "Version", "Source"].iter().map(|n| Arc::from(*n)).collect(), ..object };
    object.type_names.insert(1, "System.Management.Automation.CommandInfo".into());
    object.into()
}

/// `Get-Alias`.
pub(super) fn get_alias(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let (names, definitions) = (texts(parameters, "Name"), texts(parameters, "Definition"));
    let exclude = texts(parameters, "Exclude");
    let all = cx.aliases();
    for definition in &definitions {
        let mut any = false;
        for (name, target) in &all {
            if like(target, definition, false) {
                any = true;
                cx.emit(alias_object(name, target))?;
            }
        }
        if !any && !super::properties::has_wildcard(definition) {
            cx.write_error(
                error(
                    format!(
                        "This command cannot find a matching alias because an alias with the definition '{definition}' does not exist."
                    ),
                    "ItemNotFoundException",
                    "ObjectNotFound",
                    "System.Management.Automation.ItemNotFoundException",
                )
                .with_target(Value::Str(definition.clone())),
            )?;
        }
    }
    if !definitions.is_empty() {
        return Ok(());
    }
    let patterns = if names.is_empty() { vec!["*".into()] } else { names };
    for pattern in patterns {
        let mut any = false;
        for (name, target) in &all {
            if like(name, &pattern, false) && !exclude.iter().any(|e| like(name, e, false)) {
                any = true;
                cx.emit(alias_object(name, target))?;
            }
        }
        if !any && !super::properties::has_wildcard(&pattern) {
            cx.write_error(
                error(
                    format!("This command cannot find a matching alias because an alias with the name '{pattern}' does not exist."),
                    "ItemNotFoundException",
                    "ObjectNotFound",
                    "System.Management.Automation.ItemNotFoundException",
                )
                .with_target(Value::Str(pattern)),
            )?;
        }
    }
    Ok(())
}

/// `Set-Alias` and `New-Alias`.
fn put_alias(parameters: &BoundParameters, fresh: bool, cx: &mut dyn Context) -> Result<(), Flow> {
    let (name, target) = (
        parameters.text("Name").unwrap_or_else(|| "".into()),
        parameters.get("Value").map_or_else(|| "".into(), crate::convert::shared_text),
    );
    if fresh && !parameters.switch("Force") && cx.aliases().iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
        return Err(error(
            "The alias is not allowed, because an alias with the name '{name}' already exists.".replace("{name}", &name),
            "AliasAlreadyExists",
            "ResourceExists",
            "System.Management.Automation.SessionStateException",
        )
        .with_target(Value::Str(name))
        .into());
    }
    let action = if fresh { "New Alias" } else { "Set Alias" };
    if cx.should_process(&format!("Name: {name} Value: {target}"), action)? {
        cx.set_alias(&name, &target);
        if parameters.switch("PassThru") {
            return cx.emit(alias_object(&name, &target));
        }
    }
    Ok(())
}

/// `Set-Alias`.
pub(super) fn set_alias(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    put_alias(parameters, false, cx)
}

/// `New-Alias`.
pub(super) fn new_alias(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    put_alias(parameters, true, cx)
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
