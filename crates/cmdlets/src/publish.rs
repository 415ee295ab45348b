//! Publishing and enabling a topology, and local setup (dossier H).

use std::sync::Arc;

use firedrill_fabric::Operation;
use firedrill_powershell::Value;
use firedrill_powershell::command::CommandError;

use crate::commands::Command;
use crate::context::{Cx, Done, failure};
use crate::texts::{fill, text};
use crate::topology_xml::{self, TopologyXmlError};
use crate::xml;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Publish-CsTopology", publish, &["FileName", "Document", "BackupFileName"]).deployment(),
    // The preparation check looks at schema and forest, which are always prepared here.
    Command::new("Enable-CsTopology", enable, &["SkipPrepareCheck"]).deployment(),
    Command::new("Bootstrapper.exe", bootstrap, &["Arguments"]),
];

/// A file of the virtual file system of the session's computer, as text.
pub(crate) fn read_text(cx: &Cx<'_>, path: &str) -> Result<String, Box<CommandError>> {
    let bytes = read_bytes(cx, path)?;
    xml::decode(&bytes).ok_or_else(|| invalid_file(path, "text", "it is neither UTF-8 nor UTF-16"))
}

/// A file of the virtual file system of the session's computer.
pub(crate) fn read_bytes(cx: &Cx<'_>, path: &str) -> Result<Arc<[u8]>, Box<CommandError>> {
    cx.fabric.read_file(cx.here, path).ok_or_else(|| {
        failure(fill(text::FILE_MISSING, &[path]), "FileNotFound", "ObjectNotFound", "System.IO.FileNotFoundException", Value::str(path))
    })
}

/// A file that is not what the command expects.
pub(crate) fn invalid_file(path: &str, kind: &str, why: &str) -> Box<CommandError> {
    failure(
        fill(text::FILE_NOT_EXPORT, &[path, kind, why]),
        "InvalidFile",
        "InvalidData",
        "System.IO.InvalidDataException",
        Value::str(path),
    )
}

fn publish(cx: &mut Cx<'_>) -> Done {
    let (name, document) = match (cx.text("FileName"), cx.get("Document")) {
        (Some(path), _) => (path.to_string(), read_text(cx, &path)?),
        (None, Some(Value::Object(object))) => ("Document".to_owned(), object.text.as_deref().unwrap_or_default().to_owned()),
        (None, Some(Value::Str(text))) => ("Document".to_owned(), text.to_string()),
        // -FinalizeUninstall, which has been reported already.
        _ => return Ok(()),
    };
    let current = cx.store()?;
    let draft = match topology_xml::read(&document, &cx.topology, &current) {
        Ok(draft) => draft,
        Err(TopologyXmlError::OtherComputers(difference)) => {
            cx.unmodelled("FileName", &format!("(adding or removing servers: {difference})"));
            return Ok(());
        }
        Err(error) => return Err(invalid_file(&name, "a topology", &error.to_string())),
    };
    if !cx.proceed(&name)? {
        return Ok(());
    }
    let backup = cx.text("BackupFileName").map_or_else(|| backup_name(cx), |path| path.to_string());
    let previous = topology_xml::write(&cx.topology, &current);
    cx.fabric.write_file(cx.here, &backup, previous.into_bytes().into());
    cx.perform(Operation::Publish { draft: Box::new(draft), enable: false }).map(|_| ())
}

/// `%temp%\Publish-CsTopology-Backup-[yyyy_mm_dd][hh_mm_ss]` (documented: dossier H).
fn backup_name(cx: &Cx<'_>) -> String {
    // RFC 3339, `2026-05-30T10:12:24Z`.
    let now = cx.fabric.now().to_string();
    let (day, time) = now.trim_end_matches('Z').split_once('T').unwrap_or((&now, ""));
    let (day, time) = (day.replace('-', "_"), time.replace(':', "_"));
    format!("C:\\Users\\Administrator\\AppData\\Local\\Temp\\Publish-CsTopology-Backup-[{day}][{time}]")
}

fn enable(cx: &mut Cx<'_>) -> Done {
    let target = cx.computer_fqdn(cx.here).to_owned();
    if !cx.proceed(&target)? {
        return Ok(());
    }
    cx.perform(Operation::EnableTopology).map(|_| ())
}

fn bootstrap(cx: &mut Cx<'_>) -> Done {
    let arguments = cx.list("Arguments").unwrap_or_default();
    let setup = arguments.iter().any(|argument| argument.eq_ignore_ascii_case("/Setup"));
    let others = arguments.iter().filter(|argument| !argument.eq_ignore_ascii_case("/Setup"));
    for argument in others.cloned().collect::<Vec<_>>() {
        cx.io.unmodelled(&format!("Bootstrapper {argument}"));
    }
    // Started without arguments the program does the same: it brings the computer to what its replica says (dossier A.2).
    if setup || arguments.is_empty() {
        let computer = cx.here;
        cx.perform(Operation::RunSetup { computer })?;
    }
    Ok(())
}
