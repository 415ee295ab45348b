//! Files of the virtual file system, and paths.

use std::sync::Arc;

use super::{error, list, number, texts};
use crate::command::BoundParameters;
use crate::convert::shared_text;
use crate::error::{ErrorRecord, Flow};
use crate::eval::like;
use crate::pipeline::Context;
use crate::value::{DateTime, Number, PsObject, Value};

/// The text of a file: UTF-8 (with or without mark), UTF-16 with mark, else Windows-1252.
pub fn decode_text(content: &[u8]) -> String {
    let wide = |rest: &[u8], big: bool| {
        let units: Vec<u16> =
            rest.chunks_exact(2).map(|c| if big { u16::from_be_bytes([c[0], c[1]]) } else { u16::from_le_bytes([c[0], c[1]]) }).collect();
        String::from_utf16_lossy(&units)
    };
    match content {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xFF, 0xFE, rest @ ..] => wide(rest, false),
        [0xFE, 0xFF, rest @ ..] => wide(rest, true),
        content => match std::str::from_utf8(content) {
            Ok(text) => text.to_string(),
            Err(_) => content.iter().map(|b| *b as char).collect(),
        },
    }
}

/// Whether a file or a folder with files exists.
pub(super) fn exists(path: &str, cx: &mut dyn Context) -> bool {
    cx.world().read_file(path).is_some()
}

/// Whether a path is a folder: some file lies below it, or it is a root that every server has.
fn is_folder(path: &str, cx: &mut dyn Context) -> bool {
    let plain = path.trim_end_matches(['\\', '/']);
    let prefix = format!("{}\\", plain.to_ascii_lowercase().replace('/', "\\"));
    let root = ["c:", "c:\\windows", "c:\\windows\\system32", "c:\\temp", "c:\\program files", "c:\\users", "c:\\users\\administrator"];
    root.contains(&plain.to_ascii_lowercase().as_str())
        || cx.world().list_files().iter().any(|f| f.to_ascii_lowercase().replace('/', "\\").starts_with(&prefix))
}

/// Writes text, optionally behind what is there.
pub(super) fn write_text(path: &str, text: &str, append: bool, cx: &mut dyn Context) -> Result<(), Flow> {
    let mut content = String::new();
    if append && let Some(old) = cx.world().read_file(path) {
        content = decode_text(&old);
    }
    content.push_str(text);
    if content.len() > 64 << 20 {
        return Err(crate::error::LimitError::StringSize(64 << 20).into());
    }
    if cx.world().write_file(path, content.as_bytes()) {
        return Ok(());
    }
    Err(error(
        format!("Could not find a part of the path '{path}'."),
        "FileOpenFailure",
        "OpenError",
        "System.IO.DirectoryNotFoundException",
    )
    .into())
}

fn not_found(path: &str) -> ErrorRecord {
    error(
        format!("Cannot find path '{path}' because it does not exist."),
        "PathNotFound",
        "ObjectNotFound",
        "System.Management.Automation.ItemNotFoundException",
    )
    .with_target(Value::str(path))
}

fn paths(parameters: &BoundParameters) -> Vec<Arc<str>> {
    let named = texts(parameters, "Path");
    if named.is_empty() { texts(parameters, "LiteralPath") } else { named }
}

/// Files that a path with wildcards means.
fn matching(pattern: &str, cx: &mut dyn Context) -> Vec<String> {
    let wanted = pattern.replace('/', "\\");
    let depth = wanted.matches('\\').count();
    let mut found: Vec<String> = cx
        .world()
        .list_files()
        .into_iter()
        .filter(|f| {
            let f = f.replace('/', "\\");
            f.matches('\\').count() == depth && like(&f, &wanted, false)
        })
        .collect();
    found.sort();
    found
}

pub(super) fn get_content(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for path in paths(parameters) {
        let files = if super::properties::has_wildcard(&path) && parameters.get("LiteralPath").is_none() {
            matching(&path, cx)
        } else {
            vec![path.to_string()]
        };
        for path in files {
            let Some(content) = cx.world().read_file(&path) else {
                cx.write_error(not_found(&path))?;
                continue;
            };
            if parameters.text("Encoding").is_some_and(|e| e.eq_ignore_ascii_case("byte")) {
                for byte in content.iter() {
                    cx.emit(Value::Number(Number::Byte(*byte)))?;
                }
                continue;
            }
            let text = decode_text(&content);
            if parameters.switch("Raw") {
                cx.emit(Value::str(text))?;
                continue;
            }
            let lines: Vec<&str> = text.lines().collect();
            let first = number(parameters, "TotalCount").map_or(lines.len(), |n| usize::try_from(n).unwrap_or(usize::MAX));
            let skip = number(parameters, "Tail").map_or(0, |n| lines.len().saturating_sub(usize::try_from(n).unwrap_or(0)));
            for line in lines.iter().take(first).skip(skip) {
                cx.emit(Value::str(*line))?;
            }
        }
    }
    Ok(())
}

/// The text that `Set-Content` and its like write.
fn content_of(parameters: &BoundParameters, items: &[Value]) -> String {
    let values = if items.is_empty() { list(parameters, "Value") } else { items.to_vec() };
    let end = if parameters.switch("NoNewline") { "" } else { "\r\n" };
    values.iter().flat_map(|v| [shared_text(v).to_string(), end.to_string()]).collect()
}

pub(super) fn set_content(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    for path in paths(parameters) {
        if cx.should_process(&format!("Path: {path}"), "Set Content")? {
            write_text(&path, &content_of(parameters, &items), false, cx)?;
        }
    }
    Ok(())
}

pub(super) fn add_content(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    for path in paths(parameters) {
        if cx.should_process(&format!("Path: {path}"), "Add Content")? {
            write_text(&path, &content_of(parameters, &items), true, cx)?;
        }
    }
    Ok(())
}

pub(super) fn clear_content(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for path in paths(parameters) {
        if !exists(&path, cx) {
            cx.write_error(not_found(&path))?;
        } else if cx.should_process(&format!("Item: {path}"), "Clear Content")? {
            write_text(&path, "", false, cx)?;
        }
    }
    Ok(())
}

pub(super) fn test_path(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let kind = parameters.text("PathType").unwrap_or_else(|| "Any".into());
    for path in paths(parameters) {
        if path.get(..5).is_some_and(|p| p.eq_ignore_ascii_case("HKLM:") || p.eq_ignore_ascii_case("HKCU:")) {
            cx.unmodelled("Test-Path of the registry");
        }
        let file = if super::properties::has_wildcard(&path) { !matching(&path, cx).is_empty() } else { exists(&path, cx) };
        let folder = is_folder(&path, cx);
        cx.emit(Value::Bool(match &*kind.to_ascii_lowercase() {
            "leaf" => file,
            "container" => folder,
            _ => file || folder,
        }))?;
    }
    Ok(())
}

pub(super) fn join_path(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let child = parameters.text("ChildPath").unwrap_or_else(|| "".into());
    let child = child.trim_start_matches(['\\', '/']).replace('/', "\\");
    for path in texts(parameters, "Path") {
        let parent = path.replace('/', "\\");
        let joined = if parent.ends_with('\\') || parent.is_empty() { format!("{parent}{child}") } else { format!("{parent}\\{child}") };
        cx.emit(Value::str(joined))?;
    }
    Ok(())
}

pub(super) fn split_path(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for path in paths(parameters) {
        let plain = path.trim_end_matches(['\\', '/']);
        let cut = plain.rfind(['\\', '/']);
        let leaf = cut.map_or(plain, |at| &plain[at + 1..]);
        if parameters.switch("Leaf") {
            cx.emit(Value::str(leaf))?;
        } else if parameters.switch("LeafBase") {
            cx.emit(Value::str(leaf.rsplit_once('.').map_or(leaf, |(base, _)| base)))?;
        } else if parameters.switch("Extension") {
            cx.emit(Value::str(leaf.rfind('.').map_or("", |at| &leaf[at..])))?;
        } else if parameters.switch("Qualifier") {
            match path.find(':') {
                Some(at) => cx.emit(Value::str(&path[..=at]))?,
                None => cx.write_error(error(
                    format!("Cannot parse path because path '{path}' does not have a qualifier specified."),
                    "ParsePathFormatError",
                    "InvalidArgument",
                    "System.FormatException",
                ))?,
            }
        } else if parameters.switch("NoQualifier") {
            cx.emit(Value::str(path.find(':').map_or(&*path, |at| &path[at + 1..])))?;
        } else if parameters.switch("IsAbsolute") {
            cx.emit(Value::Bool(path.contains(":\\") || path.starts_with("\\\\")))?;
        } else {
            let parent = cut.map_or("", |at| if plain[..at].ends_with(':') { &plain[..=at] } else { &plain[..at] });
            cx.emit(Value::str(parent))?;
        }
    }
    Ok(())
}

pub(super) fn remove_item(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for path in paths(parameters) {
        if let Some((drive, name)) = path.split_once(':')
            && (drive.eq_ignore_ascii_case("variable") || drive.eq_ignore_ascii_case("env"))
        {
            let name = name.trim_start_matches('\\');
            if !cx.remove_variable(name) {
                cx.write_error(not_found(&path))?;
            }
            continue;
        }
        let wild = super::properties::has_wildcard(&path);
        let mut files = if wild { matching(&path, cx) } else { vec![path.to_string()] };
        if !wild && !exists(&path, cx) {
            let prefix = format!("{}\\", path.trim_end_matches(['\\', '/']).to_ascii_lowercase());
            files = cx.world().list_files().into_iter().filter(|f| f.to_ascii_lowercase().starts_with(&prefix)).collect();
            if files.is_empty() {
                cx.write_error(not_found(&path))?;
                continue;
            }
        }
        for file in files {
            if cx.should_process(&file, "Remove File")? && !cx.world().remove_file(&file) {
                cx.unmodelled("Remove-Item: this world keeps its files");
            }
        }
    }
    Ok(())
}

/// A file as `Get-Item` and `Get-ChildItem` show it.
fn file_object(path: &str, length: usize, now: DateTime) -> Value {
    let cut = path.rfind(['\\', '/']);
    let name = cut.map_or(path, |at| &path[at + 1..]);
    let base = name.rsplit_once('.').map_or(name, |(base, _)| base);
    let object = PsObject::new("System.IO.FileInfo")
        .with("Mode", "-a----")
        .with("Name", name)
        .with("Length", Value::Long(i64::try_from(length).unwrap_or(0)))
        .with("DirectoryName", cut.map_or("", |at| &path[..at]))
        .with("FullName", path)
        .with("Extension", name.rfind('.').map_or("", |at| &name[at..]))
        .with("BaseName", base)
        .with("Exists", true)
        .with("LastWriteTime", now)
        .with_text(path);
    PsObject { default_view: ["Mode", "LastWriteTime", "Length", "Name"].iter().map(|n| Arc::from(*n)).collect(), ..object }.into()
}

pub(super) fn get_item(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    for path in paths(parameters) {
        let files = if super::properties::has_wildcard(&path) { matching(&path, cx) } else { vec![path.to_string()] };
        for file in files {
            let now = cx.world().now();
            match cx.world().read_file(&file) {
                Some(content) => cx.emit(file_object(&file, content.len(), now))?,
                None if is_folder(&file, cx) => {
                    let name = file.trim_end_matches('\\').rsplit('\\').next().unwrap_or(&file).to_string();
                    let object = PsObject::new("System.IO.DirectoryInfo").with("Mode", "d-----").with("Name", name);
                    cx.emit(object.with("FullName", file.clone()).with("PSIsContainer", true).with_text(file.clone()).into())?;
                }
                None => cx.write_error(not_found(&file))?,
            }
        }
    }
    Ok(())
}

pub(super) fn get_child_item(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let named = paths(parameters);
    let filters = [texts(parameters, "Filter"), texts(parameters, "Include")].concat();
    let exclude = texts(parameters, "Exclude");
    let named = if named.is_empty() { vec!["C:\\Windows\\system32".into()] } else { named };
    for path in named {
        let wild = super::properties::has_wildcard(&path);
        let prefix = format!("{}\\", path.trim_end_matches(['\\', '/']).to_ascii_lowercase().replace('/', "\\"));
        let recurse = parameters.switch("Recurse");
        let mut files: Vec<String> = if wild {
            matching(&path, cx)
        } else if exists(&path, cx) {
            vec![path.to_string()]
        } else {
            cx.world()
                .list_files()
                .into_iter()
                .filter(|f| {
                    let lower = f.to_ascii_lowercase().replace('/', "\\");
                    lower.strip_prefix(&prefix).is_some_and(|rest| recurse || !rest.contains('\\'))
                })
                .collect()
        };
        files.sort();
        if files.is_empty() && !wild && !is_folder(&path, cx) {
            cx.write_error(not_found(&path))?;
            continue;
        }
        for file in files {
            let name = file.rsplit(['\\', '/']).next().unwrap_or(&file).to_string();
            if (!filters.is_empty() && !filters.iter().any(|f| like(&name, f, false))) || exclude.iter().any(|e| like(&name, e, false)) {
                continue;
            }
            let now = cx.world().now();
            let length = cx.world().read_file(&file).map_or(0, |c| c.len());
            if parameters.switch("Name") {
                cx.emit(Value::str(name))?;
            } else if !parameters.switch("Directory") {
                cx.emit(file_object(&file, length, now))?;
            }
        }
    }
    Ok(())
}

pub(super) fn new_item(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let kind = parameters.text("ItemType").unwrap_or_else(|| "File".into());
    let name = parameters.text("Name");
    for path in paths(parameters) {
        let path = name.as_ref().map_or_else(|| path.to_string(), |n| format!("{}\\{n}", path.trim_end_matches('\\')));
        if kind.to_ascii_lowercase().starts_with('d') {
            if cx.should_process(&format!("Destination: {path}"), "Create Directory")? {
                // Folders exist as soon as a file lies in them.
                let leaf = path.rsplit('\\').next().unwrap_or(&path).to_string();
                let object = PsObject::new("System.IO.DirectoryInfo").with("Mode", "d-----").with("Name", leaf);
                cx.emit(object.with("FullName", path.clone()).with("PSIsContainer", true).with_text(path).into())?;
            }
            continue;
        }
        if exists(&path, cx) && !parameters.switch("Force") {
            cx.write_error(error(format!("The file '{path}' already exists."), "NewItemIOError", "WriteError", "System.IO.IOException"))?;
            continue;
        }
        if cx.should_process(&format!("Destination: {path}"), "Create File")? {
            let value = parameters.get("Value").map_or_else(|| "".into(), shared_text);
            write_text(&path, &value, false, cx)?;
            let now = cx.world().now();
            cx.emit(file_object(&path, value.len(), now))?;
        }
    }
    Ok(())
}

pub(super) fn copy_item(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    transfer(parameters, false, cx)
}

pub(super) fn move_item(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    transfer(parameters, true, cx)
}

fn transfer(parameters: &BoundParameters, remove: bool, cx: &mut dyn Context) -> Result<(), Flow> {
    let destination = parameters.text("Destination").unwrap_or_else(|| "".into());
    for path in paths(parameters) {
        let files = if super::properties::has_wildcard(&path) { matching(&path, cx) } else { vec![path.to_string()] };
        for file in files {
            let Some(content) = cx.world().read_file(&file) else {
                cx.write_error(not_found(&file))?;
                continue;
            };
            let name = file.rsplit(['\\', '/']).next().unwrap_or(&file);
            let into = destination.ends_with('\\') || (is_folder(&destination, cx) && !exists(&destination, cx));
            let target = if into { format!("{}\\{name}", destination.trim_end_matches('\\')) } else { destination.to_string() };
            let action = if remove { "Move File" } else { "Copy File" };
            if cx.should_process(&format!("Item: {file} Destination: {target}"), action)? {
                cx.world().write_file(&target, &content);
                if remove {
                    cx.world().remove_file(&file);
                }
            }
        }
    }
    Ok(())
}
