//! Modules: those that the computer has, and those of the script's own folder.

use std::sync::Arc;

use super::{error, texts};
use crate::command::{BoundParameters, ModuleInfo};
use crate::error::Flow;
use crate::eval::like;
use crate::pipeline::Context;
use crate::value::{PsObject, Value};

/// Modules of Windows Server that every computer has: name and version.
const WINDOWS: &[(&str, [i32; 4])] = &[
    ("BitsTransfer", [2, 0, 0, 0]),
    ("CimCmdlets", [1, 0, 0, 0]),
    ("DnsClient", [1, 0, 0, 0]),
    ("International", [2, 0, 0, 0]),
    ("Microsoft.PowerShell.Diagnostics", [3, 0, 0, 0]),
    ("Microsoft.PowerShell.Management", [3, 1, 0, 0]),
    ("Microsoft.PowerShell.Security", [3, 0, 0, 0]),
    ("Microsoft.PowerShell.Utility", [3, 1, 0, 0]),
    ("NetSecurity", [2, 0, 0, 0]),
    ("NetTCPIP", [1, 0, 0, 0]),
    ("ScheduledTasks", [1, 0, 0, 0]),
    ("ServerManager", [2, 0, 0, 0]),
    ("SmbShare", [2, 0, 0, 0]),
    ("Storage", [2, 0, 0, 0]),
    ("WebAdministration", [1, 0, 0, 0]),
];

/// Modules that every session has loaded.
const LOADED: &[&str] = &["Microsoft.PowerShell.Management", "Microsoft.PowerShell.Utility"];

fn installed(cx: &mut dyn Context) -> Vec<ModuleInfo> {
    let windows = WINDOWS.iter().map(|(name, version)| ModuleInfo {
        name: (*name).into(),
        version: *version,
        kind: "Manifest",
        description: "".into(),
    });
    let mut all: Vec<ModuleInfo> = cx.world().modules();
    all.extend(windows);
    all.sort_by(|a, b| crate::convert::order_text(&a.name, &b.name, false));
    all
}

pub(super) fn module_object(module: &ModuleInfo) -> Value {
    let folder = format!("C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\Modules\\{}", module.name);
    let object = PsObject::new("System.Management.Automation.PSModuleInfo")
        .with("Name", module.name.clone())
        .with("Path", format!("{folder}\\{}.psd1", module.name))
        .with("Description", module.description.clone())
        .with("ModuleType", module.kind)
        .with("Version", Value::Version(module.version))
        .with("ModuleBase", folder)
        .with_text(module.name.clone());
    PsObject { default_view: ["ModuleType", "Version", "Name"].iter().map(|n| Arc::from(*n)).collect(), ..object }.into()
}

/// `Import-Module`.
pub(super) fn import_module(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for name in texts(parameters, "Name") {
        let lower = name.to_lowercase();
        let plain = name.rsplit(['\\', '/']).next().unwrap_or(&name);
        let plain = plain.trim_end_matches(".psd1").trim_end_matches(".psm1").trim_end_matches(".dll");
        // A path into the folders of installed modules names the module; others lead to the script's own.
        let installed_path =
            ["\\windowspowershell\\", "\\skype for business", "\\microsoft lync"].iter().any(|folder| lower.contains(folder));
        let by_path = name.contains(['\\', '/']) && !installed_path;
        let found: Vec<ModuleInfo> =
            if by_path { Vec::new() } else { installed(cx).into_iter().filter(|m| like(&m.name, plain, false)).collect() };
        if found.is_empty() {
            if !import_script(&name, parameters, cx)? {
                missing(&name, cx)?;
            }
            continue;
        }
        for module in found {
            cx.verbose(&format!(
                "Loading module from path 'C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\Modules\\{0}\\{0}.psd1'.",
                module.name
            ))?;
            let desk = cx.desk();
            if !desk.modules.contains(&module.name) {
                desk.modules.push(module.name.clone());
            }
            if parameters.switch("PassThru") {
                cx.emit(module_object(&module))?;
            }
        }
    }
    for value in super::list(parameters, "ModuleInfo") {
        let name = crate::convert::shared_text(&value);
        let desk = cx.desk();
        if !desk.modules.contains(&name) {
            desk.modules.push(name);
        }
    }
    Ok(())
}

fn missing(name: &Arc<str>, cx: &mut dyn Context) -> Result<(), Flow> {
    cx.write_error(
        error(
            format!("The specified module '{name}' was not loaded because no valid module file was found in any module directory."),
            "Modules_ModuleNotFound",
            "ResourceUnavailable",
            "System.IO.FileNotFoundException",
        )
        .with_target(Value::Str(name.clone())),
    )
}

/// Imports a module of the virtual file system; false when there is none.
fn import_script(name: &Arc<str>, parameters: &BoundParameters, cx: &mut dyn Context) -> Result<bool, Flow> {
    let request = crate::eval::ModuleRequest {
        name: name.clone(),
        functions: texts(parameters, "Function"),
        variables: texts(parameters, "Variable"),
        aliases: texts(parameters, "Alias"),
        prefix: parameters.text("Prefix").unwrap_or_default(),
        force: parameters.switch("Force"),
    };
    let Some(module) = cx.import_script_module(&request)? else { return Ok(false) };
    if parameters.switch("PassThru") {
        cx.emit(module)?;
    }
    Ok(true)
}

/// Whether a module is installed on the computer of a session.
pub fn is_known_module(name: &str, world: &dyn crate::pipeline::World) -> bool {
    WINDOWS.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) || world.modules().iter().any(|m| m.name.eq_ignore_ascii_case(name))
}

/// `Get-Module`.
pub(super) fn get_module(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let names = texts(parameters, "Name");
    for module in cx.script_modules() {
        let name = crate::convert::shared_text(&module);
        if names.is_empty() || names.iter().any(|n| like(&name, n, false)) {
            cx.emit(module)?;
        }
    }
    let available = installed(cx);
    let modules: Vec<ModuleInfo> = if parameters.switch("ListAvailable") {
        available
    } else {
        let own: Vec<Arc<str>> = LOADED.iter().map(|n| Arc::from(*n)).chain(cx.desk().modules.clone()).collect();
        let mut loaded: Vec<ModuleInfo> = own
            .into_iter()
            .map(|name| {
                available.iter().find(|m| m.name == name).cloned().unwrap_or(ModuleInfo {
                    name,
                    version: [0, 0, -1, -1],
                    kind: "Script",
                    description: "".into(),
                })
            })
            .collect();
        loaded.extend(cx.desk().proxies.clone());
        loaded.sort_by(|a, b| crate::convert::order_text(&a.name, &b.name, false));
        loaded.dedup_by(|a, b| a.name == b.name);
        loaded
    };
    for module in modules {
        if names.is_empty() || names.iter().any(|n| like(&module.name, n, false)) {
            cx.emit(module_object(&module))?;
        }
    }
    Ok(())
}

/// `Remove-Module`.
pub(super) fn remove_module(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let mut names = texts(parameters, "Name");
    names.extend(super::list(parameters, "ModuleInfo").iter().map(crate::convert::shared_text));
    for name in names {
        let scripts = cx.script_modules().len();
        cx.remove_script_module(&name);
        let script_gone = cx.script_modules().len() != scripts;
        let desk = cx.desk();
        let before = desk.modules.len() + desk.proxies.len();
        desk.modules.retain(|module| !like(module, &name, false));
        desk.proxies.retain(|module| !like(&module.name, &name, false));
        let gone = script_gone || desk.modules.len() + desk.proxies.len() != before;
        if !gone && !super::properties::has_wildcard(&name) {
            cx.write_error(
                error(
                    "No modules were removed. Verify that the specification of modules to remove is correct and those modules exist in the runspace.",
                    "Modules_NoModulesRemoved",
                    "ResourceUnavailable",
                    "System.InvalidOperationException",
                )
                .with_target(Value::Str(name)),
            )?;
        }
    }
    Ok(())
}
