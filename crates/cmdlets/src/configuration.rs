//! Export and import of the configuration and of the location database (dossier D.8).

use firedrill_fabric::Operation;
use firedrill_powershell::Value;
use firedrill_powershell::command::CommandError;
use firedrill_powershell::value::Number;

use crate::commands::Command;
use crate::context::{Cx, Done, as_integer, failure};
use crate::publish::{invalid_file, read_bytes};
use crate::texts::{fill, text};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Export-CsConfiguration", export, &["FileName", "AsBytes", "LocalStore"]),
    Command::new("Import-CsConfiguration", import, &["FileName", "ByteInput", "LocalStore"]),
    Command::new("Export-CsLisConfiguration", export_lis, &["FileName", "AsBytes"]),
    Command::new("Import-CsLisConfiguration", import_lis, &["FileName", "ByteInput"]),
];

fn export(cx: &mut Cx<'_>) -> Done {
    let document = cx.store()?;
    let content = cx.fabric.export_configuration(document);
    match cx.text("FileName") {
        None => cx.output(byte_array(&content)),
        Some(path) => cx.fabric.write_file(cx.here, &path, content),
    }
    Ok(())
}

fn import(cx: &mut Cx<'_>) -> Done {
    let (name, bytes) = input(cx)?;
    let Some(document) = cx.fabric.exported_configuration(&bytes) else {
        return Err(invalid_file(&name, "the configuration", "Export-CsConfiguration did not write it"));
    };
    let local_store = cx.switch("LocalStore");
    cx.perform(Operation::ImportConfiguration { configuration: Box::new((*document).clone()), local_store }).map(|_| ())
}

/// First line of an exported location database: what tells it from other files.
const LIS_MARK: &str = "Firedrill LIS export 1";

fn export_lis(cx: &mut Cx<'_>) -> Done {
    cx.store()?;
    let content = format!("{LIS_MARK}\r\n{}\r\n", cx.topology.name);
    let Some(path) = cx.text("FileName") else {
        cx.output(byte_array(content.as_bytes()));
        return Ok(());
    };
    if cx.fabric.read_file(cx.here, &path).is_some() {
        // It refuses to overwrite (documented: dossier D.8).
        return Err(failure(
            fill(text::FILE_EXISTS, &[&path]),
            "FileExists",
            "ResourceExists",
            "System.IO.IOException",
            Value::str(&*path),
        ));
    }
    cx.fabric.write_file(cx.here, &path, content.into_bytes().into());
    Ok(())
}

fn import_lis(cx: &mut Cx<'_>) -> Done {
    cx.store()?;
    let (name, bytes) = input(cx)?;
    if !bytes.starts_with(LIS_MARK.as_bytes()) {
        return Err(invalid_file(&name, "the location database", "its first line is another"));
    }
    // Locations have no content in the model: that the file is the right one is what can go wrong.
    Ok(())
}

/// Bytes as an object of the pipeline.
pub(crate) fn byte_array(bytes: &[u8]) -> Value {
    Value::typed_array("System.Byte", bytes.iter().map(|byte| Value::Number(Number::Byte(*byte))).collect())
}

/// What `-FileName` or `-ByteInput` gives, with a name for messages.
pub(crate) fn input(cx: &Cx<'_>) -> Result<(String, Vec<u8>), Box<CommandError>> {
    if let Some(path) = cx.text("FileName") {
        return Ok((path.to_string(), read_bytes(cx, &path)?.to_vec()));
    }
    let items = cx.get("ByteInput").and_then(Value::items).unwrap_or_default();
    let bytes = items.iter().filter_map(as_integer).filter_map(|byte| u8::try_from(byte).ok()).collect();
    Ok(("ByteInput".to_owned(), bytes))
}
