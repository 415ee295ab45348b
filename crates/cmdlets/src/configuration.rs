//! Export and import of the configuration and of the location database (dossier D.8).

use crate::commands::Command;
use crate::context::{Cx, Done, failure};
use crate::publish::{invalid_file, read_bytes};
use crate::texts::{fill, text};
use firedrill_powershell::Value;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("Export-CsLisConfiguration", export_lis, &["FileName", "AsBytes"]),
    Command::new("Import-CsLisConfiguration", import_lis, &["FileName", "ByteInput"]),
];

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
    Value::typed_array("System.Byte", bytes.iter().map(|byte| Value::Number(firedrill_powershell::value::Number::Byte(*byte))).collect())
}

/// What `-FileName` or `-ByteInput` gives, with a name for messages.
pub(crate) fn input(cx: &Cx<'_>) -> Result<(String, Vec<u8>), Box<firedrill_powershell::command::CommandError>> {
    if let Some(path) = cx.text("FileName") {
        return Ok((path.to_string(), read_bytes(cx, &path)?.to_vec()));
    }
    let items = cx.get("ByteInput").and_then(Value::items).unwrap_or_default();
    let bytes = items.iter().filter_map(crate::context::as_integer).filter_map(|byte| u8::try_from(byte).ok()).collect();
    Ok(("ByteInput".to_owned(), bytes))
}
