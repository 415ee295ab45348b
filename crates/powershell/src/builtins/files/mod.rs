//! Files and folders of the virtual file system, the other drives, and paths.
//!
//! A folder that nobody made and nothing lies in may still exist on the real server: writing into it works, with a
//! remark, so that a runbook is not refused for a folder that its authors know is there. Reading never finds more than
//! the rehearsal has.

mod content;
mod drives;
mod items;
mod places;

use std::sync::Arc;

pub(super) use content::{add_content, clear_content, get_content, set_content};
pub(super) use drives::{get_drive, get_item_property, new_drive, remove_drive, set_item, write_item_property};
pub(super) use items::{copy_item, get_child_item, get_item, move_item, new_item, remove_item, rename_item};
pub(super) use places::{
    convert_path, get_location, join_path, pop_location, push_location, resolve_path, set_location, split_path, test_path,
};

use super::{error, texts};
use crate::command::{BoundParameters, FileEntry};
use crate::error::{ErrorRecord, Flow, LimitError};
use crate::eval::like;
use crate::paths;
use crate::pipeline::Context;
use crate::value::{DateTime, EnumValue, PsObject, Value};

/// Largest file that a script can make.
const LARGEST: usize = 64 << 20;

/// Character encodings of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Windows-1252, what `Default` means on an English server.
    Ansi,
    Ascii,
    Utf8,
    Utf16,
    Utf16BigEndian,
    Utf32,
    Bytes,
}

impl Encoding {
    /// The value of `-Encoding`, or what the command uses without it.
    pub(super) fn of(parameters: &BoundParameters, default: Self) -> Result<Self, Flow> {
        let Some(name) = parameters.get("Encoding").map(crate::convert::shared_text) else { return Ok(default) };
        Ok(match name.to_ascii_lowercase().as_str() {
            "unicode" | "string" | "unknown" | "utf-16" => Self::Utf16,
            "bigendianunicode" => Self::Utf16BigEndian,
            "utf8" | "utf-8" | "utf8bom" | "utf8nobom" => Self::Utf8,
            "utf32" => Self::Utf32,
            "ascii" | "us-ascii" | "utf7" => Self::Ascii,
            "default" | "ansi" | "oem" | "windows-1252" => Self::Ansi,
            "byte" => Self::Bytes,
            _ => {
                return Err(error(
                    format!(
                        "Cannot validate argument on parameter 'Encoding'. The argument \"{name}\" does not belong to the set \
                         \"unknown,string,unicode,bigendianunicode,utf8,utf7,utf32,ascii,default,oem\" specified by the ValidateSet attribute. \
                         Supply an argument that is in the set and then try the command again."
                    ),
                    "ParameterArgumentValidationError",
                    "InvalidData",
                    "System.Management.Automation.ParameterBindingValidationException",
                )
                .into());
            }
        })
    }

    fn encode(self, text: &str, mark: bool) -> Vec<u8> {
        let wide = |big: bool| {
            let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
            units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        match self {
            Self::Utf16 => wide(false),
            Self::Utf16BigEndian => wide(true),
            Self::Utf32 => {
                let units = mark.then_some('\u{FEFF}').into_iter().chain(text.chars());
                units.flat_map(|c| (c as u32).to_le_bytes()).collect()
            }
            Self::Utf8 => {
                let mut bytes = if mark { vec![0xEF, 0xBB, 0xBF] } else { Vec::new() };
                bytes.extend_from_slice(text.as_bytes());
                bytes
            }
            Self::Ascii => text.chars().map(|c| u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(b'?')).collect(),
            // What 1252 cannot say is kept as UTF-8: losing an administrator's text helps nobody.
            Self::Ansi | Self::Bytes => match text.chars().map(|c| u8::try_from(c).ok()).collect::<Option<Vec<u8>>>() {
                Some(bytes) => bytes,
                None => text.as_bytes().to_vec(),
            },
        }
    }
}

/// The text of a file: UTF-8 (with or without mark), UTF-16 or UTF-32 with mark, else Windows-1252.
pub fn decode_text(content: &[u8]) -> String {
    let wide = |rest: &[u8], big: bool| {
        let units: Vec<u16> =
            rest.chunks_exact(2).map(|c| if big { u16::from_be_bytes([c[0], c[1]]) } else { u16::from_le_bytes([c[0], c[1]]) }).collect();
        String::from_utf16_lossy(&units)
    };
    match content {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xFF, 0xFE, 0, 0, rest @ ..] => rest
            .chunks_exact(4)
            .map(|c| char::from_u32(u32::from_le_bytes([c[0], c[1], c[2], c[3]])).unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
        [0xFF, 0xFE, rest @ ..] => wide(rest, false),
        [0xFE, 0xFF, rest @ ..] => wide(rest, true),
        content => match std::str::from_utf8(content) {
            Ok(text) => text.to_string(),
            Err(_) => content.iter().map(|b| crate::eval::windows_1252(*b)).collect(),
        },
    }
}

/// The encoding that a file says it has.
fn marked(content: &[u8]) -> Option<Encoding> {
    match content {
        [0xEF, 0xBB, 0xBF, ..] => Some(Encoding::Utf8),
        [0xFF, 0xFE, 0, 0, ..] => Some(Encoding::Utf32),
        [0xFF, 0xFE, ..] => Some(Encoding::Utf16),
        [0xFE, 0xFF, ..] => Some(Encoding::Utf16BigEndian),
        _ => None,
    }
}

/// The full path of what a script wrote: relative paths from the location, drives of the script's own replaced.
pub(super) fn full(path: &str, cx: &mut dyn Context) -> String {
    let plain = paths::without_provider(path.trim());
    if let Some((drive, rest)) = plain.split_once(':')
        && let Some(drive) = cx.desk().drives.get(&drive.to_lowercase()).cloned()
    {
        return paths::full(&drive.root, rest.trim_start_matches(['\\', '/']));
    }
    let location = cx.world().location();
    paths::full(&location, plain)
}

/// Whether a file or folder exists.
pub(super) fn exists(path: &str, cx: &mut dyn Context) -> bool {
    let path = full(path, cx);
    cx.world().entry(&path).is_some()
}

/// The content of a file.
pub(super) fn read(path: &str, cx: &mut dyn Context) -> Option<Arc<[u8]>> {
    let path = full(path, cx);
    cx.world().read_file(&path)
}

/// Whether a drive is known: the system drive, or one on which something lies.
fn drive_exists(full: &str, cx: &mut dyn Context) -> bool {
    full.starts_with("\\\\") || full.get(..1).is_some_and(|d| d.eq_ignore_ascii_case("c")) || {
        let root = full.get(..3).unwrap_or(full).to_owned();
        cx.world().entry(&root).is_some() || !cx.world().entries(&root).is_empty()
    }
}

/// What reading something that is not there gives.
pub(super) fn not_found(path: &str, cx: &mut dyn Context) -> ErrorRecord {
    let full = full(path, cx);
    if !drive_exists(&full, cx) {
        let drive = full.get(..1).unwrap_or_default().to_owned();
        return error(
            format!("Cannot find drive. A drive with the name '{drive}' does not exist."),
            "DriveNotFound",
            "ObjectNotFound",
            "System.Management.Automation.DriveNotFoundException",
        )
        .with_target(Value::str(drive));
    }
    error(
        format!("Cannot find path '{full}' because it does not exist."),
        "PathNotFound",
        "ObjectNotFound",
        "System.Management.Automation.ItemNotFoundException",
    )
    .with_target(Value::str(full))
}

/// What opening a file that is not there gives.
pub(super) fn no_such_file(path: &str, cx: &mut dyn Context) -> ErrorRecord {
    let whole = full(path, cx);
    let folder = paths::split(&whole).is_none_or(|(folder, _)| cx.world().entry(folder).is_some());
    let (message, exception) = if folder {
        (format!("Could not find file '{whole}'."), "System.IO.FileNotFoundException")
    } else {
        (format!("Could not find a part of the path '{whole}'."), "System.IO.DirectoryNotFoundException")
    };
    error(message, "FileOpenFailure", "OpenError", exception).with_target(Value::str(path))
}

/// Remarks folders that are taken to exist, before something is written into them.
fn assume_folder(full: &str, cx: &mut dyn Context) {
    if let Some((folder, _)) = paths::split(full)
        && cx.world().entry(folder).is_none()
        && !full.starts_with("\\\\")
    {
        cx.remark(&format!("the folder {folder} is taken to exist on this computer"));
    }
}

fn unwritable(path: &str) -> ErrorRecord {
    let message = if path.starts_with("\\\\") {
        "The network path was not found.".to_owned()
    } else {
        format!("Could not find a part of the path '{path}'.")
    };
    error(message, "FileOpenFailure", "OpenError", "System.IO.DirectoryNotFoundException").with_target(Value::str(path))
}

/// Writes bytes to a file.
pub(super) fn write_bytes(path: &str, content: &[u8], cx: &mut dyn Context) -> Result<(), Flow> {
    if content.len() > LARGEST {
        return Err(LimitError::StringSize(LARGEST).into());
    }
    let path = full(path, cx);
    if cx.world().entry(&path).is_some_and(|entry| entry.folder) {
        return Err(error(
            format!("Access to the path '{path}' is denied."),
            "GetContentWriterUnauthorizedAccessError",
            "PermissionDenied",
            "System.UnauthorizedAccessException",
        )
        .with_target(Value::str(path))
        .into());
    }
    assume_folder(&path, cx);
    if cx.world().write_file(&path, content) { Ok(()) } else { Err(unwritable(&path).into()) }
}

/// Writes text, optionally behind what is there; the file keeps the encoding that it says it has.
pub(super) fn write_text(path: &str, text: &str, append: bool, encoding: Encoding, cx: &mut dyn Context) -> Result<(), Flow> {
    let old = if append { read(path, cx) } else { None };
    let content = match old.filter(|old| !old.is_empty()) {
        None => encoding.encode(text, true),
        Some(old) => {
            let mut content = old.to_vec();
            let kept = marked(&old).unwrap_or(match encoding {
                // A file without mark holds one byte a character; two would garble it.
                Encoding::Utf16 | Encoding::Utf16BigEndian | Encoding::Utf32 => Encoding::Ansi,
                other => other,
            });
            content.extend(kept.encode(text, false));
            content
        }
    };
    write_bytes(path, &content, cx)
}

/// The paths of `-Path` or `-LiteralPath`, and whether wildcards count.
fn asked(parameters: &BoundParameters) -> (Vec<Arc<str>>, bool) {
    let named = texts(parameters, "Path");
    if named.is_empty() { (texts(parameters, "LiteralPath"), false) } else { (named, true) }
}

/// Whether a name passes `-Filter`, `-Include` and `-Exclude`.
fn admitted(name: &str, parameters: &BoundParameters) -> bool {
    let filter = parameters.text("Filter");
    let (include, exclude) = (texts(parameters, "Include"), texts(parameters, "Exclude"));
    filter.as_deref().is_none_or(|f| like(name, f, false))
        && (include.is_empty() || include.iter().any(|p| like(name, p, false)))
        && !exclude.iter().any(|p| like(name, p, false))
}

/// What a path means: itself, or everything that matches its wildcards, folder by folder.
pub(super) fn matching(path: &str, wildcards: bool, cx: &mut dyn Context) -> Vec<FileEntry> {
    let full = full(path, cx);
    if !wildcards || !super::properties::has_wildcard(path) {
        return cx.world().entry(&full).into_iter().collect();
    }
    let mut folders: Vec<String> = Vec::new();
    let mut found: Vec<FileEntry> = Vec::new();
    let rest = if let Some(rest) = full.strip_prefix("\\\\") {
        let mut parts = rest.splitn(3, '\\');
        let (host, share) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        folders.push(format!("\\\\{host}\\{share}"));
        parts.next().unwrap_or_default().to_owned()
    } else {
        folders.push(full.get(..3).unwrap_or(&full).to_owned());
        full.get(3..).unwrap_or_default().to_owned()
    };
    for part in rest.split('\\') {
        found.clear();
        for folder in &folders {
            if super::properties::has_wildcard(part) {
                let inside = cx.world().entries(folder);
                found.extend(inside.into_iter().filter(|entry| like(leaf(&entry.path), part, false)));
            } else {
                let entry = cx.world().entry(&paths::join(folder, part));
                found.extend(entry);
            }
        }
        folders = found.iter().filter(|entry| entry.folder).map(|entry| entry.path.to_string()).collect();
    }
    found
}

/// The last part of a path.
pub(super) fn leaf(path: &str) -> &str {
    paths::split(path).map_or(path, |(_, name)| name)
}

fn flag(type_name: &str, name: &str, number: i64) -> Value {
    Value::Enum(Arc::new(EnumValue { type_name: type_name.into(), name: name.into(), number }))
}

/// How an object of a file is written in text (Windows PowerShell 5.1: a listing of a folder gives names only).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    Full,
    Name,
}

/// A file or folder as `Get-Item` and `Get-ChildItem` give it.
pub(super) fn file_object(entry: &FileEntry, spelling: Spelling) -> Value {
    let path = &*entry.path;
    let (folder, name) = paths::split(path).unwrap_or(("", path));
    let time = |at: DateTime| Value::DateTime(at);
    let dot = name.rfind('.').filter(|_| !entry.folder);
    let drive: Value = match path.get(1..2) {
        Some(":") => Value::str(&path[..1]),
        _ => Value::Null,
    };
    let object = PsObject::new(if entry.folder { "System.IO.DirectoryInfo" } else { "System.IO.FileInfo" });
    let provider = "Microsoft.PowerShell.Core\\FileSystem";
    let parent = if folder.is_empty() { Value::str("") } else { Value::str(format!("{provider}::{folder}")) };
    let object = object
        .with("PSPath", format!("{provider}::{path}"))
        .with("PSParentPath", parent)
        .with("PSChildName", name)
        .with("PSDrive", drive)
        .with("PSProvider", provider)
        .with("PSIsContainer", entry.folder)
        .with("Mode", if entry.folder { "d-----" } else { "-a----" })
        .with("BaseName", dot.map_or(name, |at| &name[..at]))
        .with("Name", name);
    let object = if entry.folder {
        let (up, root) = (if folder.is_empty() { Value::Null } else { Value::str(folder) }, path.get(..3).unwrap_or(path));
        object.with("Parent", up).with("Root", root)
    } else {
        object
            .with("Length", Value::Long(i64::try_from(entry.length).unwrap_or(i64::MAX)))
            .with("DirectoryName", folder)
            .with("Directory", folder)
            .with("IsReadOnly", false)
    };
    let attributes = if entry.folder { ("Directory", 16) } else { ("Archive", 32) };
    let object = object
        .with("Exists", true)
        .with("FullName", path)
        .with("Extension", dot.map_or("", |at| &name[at..]))
        .with("CreationTime", time(entry.created))
        .with("CreationTimeUtc", time(entry.created))
        .with("LastAccessTime", time(entry.written))
        .with("LastAccessTimeUtc", time(entry.written))
        .with("LastWriteTime", time(entry.written))
        .with("LastWriteTimeUtc", time(entry.written))
        .with("Attributes", flag("System.IO.FileAttributes", attributes.0, attributes.1))
        .with_text(if spelling == Spelling::Name { name } else { path });
    let mut object =
        PsObject { default_view: ["Mode", "LastWriteTime", "Length", "Name"].iter().map(|n| Arc::from(*n)).collect(), ..object };
    object.type_names.insert(1, "System.IO.FileSystemInfo".into());
    object.into()
}

/// Marks the run inconclusive where a path leads to a drive that is not modelled; says whether it does.
fn foreign(path: &str, cx: &mut dyn Context) -> bool {
    let Some(drive) = paths::other_drive(path).map(str::to_ascii_uppercase) else { return false };
    if cx.desk().drives.contains_key(&drive.to_lowercase()) {
        return false;
    }
    let known =
        matches!(drive.as_str(), "HKLM" | "HKCU" | "CERT" | "WSMAN" | "IIS" | "SQLSERVER" | "AD" | "REGISTRY" | "HKEY_LOCAL_MACHINE");
    if known {
        cx.unmodelled(&format!("drive {drive}:"));
    }
    known
}
