//! `Get-Item`, `Get-ChildItem`, `New-Item`, `Remove-Item`, `Copy-Item`, `Move-Item`, `Rename-Item`.

use super::{
    Encoding, Spelling, admitted, asked, exists, file_object, foreign, full, leaf, matching, not_found, read, unwritable, write_bytes,
    write_text,
};
use crate::builtins::properties::has_wildcard;
use crate::builtins::{delayed_text, error, number, texts};
use crate::command::{BoundParameters, FileEntry};
use crate::convert::shared_text;
use crate::error::{ErrorRecord, Flow};
use crate::paths;
use crate::pipeline::Context;
use crate::value::Value;

/// Deepest nesting of folders that is walked.
const DEEPEST: usize = 128;

/// `Get-Item`.
pub(in crate::builtins) fn get_item(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let (paths, wildcards) = asked(parameters);
    for path in paths {
        if let Some(items) = super::drives::items(&path, cx) {
            if items.is_empty() && !has_wildcard(&path) {
                cx.write_error(drive_item_missing(&path))?;
            }
            items.into_iter().try_for_each(|item| cx.emit(item))?;
            continue;
        }
        if foreign(&path, cx) {
            continue;
        }
        let found = matching(&path, wildcards, cx);
        if found.is_empty() && !(wildcards && has_wildcard(&path)) {
            let record = not_found(&path, cx);
            cx.write_error(record)?;
        }
        for entry in found {
            if admitted(leaf(&entry.path), parameters) {
                cx.emit(file_object(&entry, Spelling::Full))?;
            }
        }
    }
    Ok(())
}

fn drive_item_missing(path: &str) -> ErrorRecord {
    let (drive, name) = path.split_once(':').map_or(("", path), |(drive, rest)| (drive, rest.trim_matches(['\\', '/'])));
    let mut letters = drive.to_lowercase();
    letters.get_mut(..1).map(str::make_ascii_uppercase);
    let name = format!("{letters}:\\{name}");
    error(
        format!("Cannot find path '{name}' because it does not exist."),
        "PathNotFound",
        "ObjectNotFound",
        "System.Management.Automation.ItemNotFoundException",
    )
    .with_target(Value::str(name))
}

/// Folders first, then files, each sorted by name.
fn inside(folder: &str, cx: &mut dyn Context) -> Vec<FileEntry> {
    let (folders, files): (Vec<_>, Vec<_>) = cx.world().entries(folder).into_iter().partition(|entry| entry.folder);
    folders.into_iter().chain(files).collect()
}

struct Listing<'p> {
    parameters: &'p BoundParameters,
    /// How many levels below the first.
    depth: usize,
    /// What stands before relative names.
    base: String,
    spelling: Spelling,
    /// `-Include` or `-Exclude` was given.
    patterns: bool,
}

impl Listing<'_> {
    fn show(&self, entry: &FileEntry, cx: &mut dyn Context) -> Result<(), Flow> {
        let on = |name: &str| self.parameters.switch(name);
        if (on("Directory") && !entry.folder) || (on("File") && entry.folder) || !admitted(leaf(&entry.path), self.parameters) {
            return Ok(());
        }
        if on("Name") {
            let path = entry.path.get(self.base.len()..).unwrap_or(&entry.path);
            return cx.emit(Value::str(path.trim_start_matches('\\')));
        }
        cx.emit(file_object(entry, self.spelling))
    }

    fn walk(&self, folder: &str, level: usize, cx: &mut dyn Context) -> Result<(), Flow> {
        let entries = inside(folder, cx);
        if self.patterns {
            // With patterns each folder is looked through before what follows it.
            for entry in &entries {
                self.show(entry, cx)?;
                if entry.folder && level < self.depth {
                    self.walk(&entry.path, level + 1, cx)?;
                }
            }
            return Ok(());
        }
        for entry in &entries {
            self.show(entry, cx)?;
        }
        if level < self.depth {
            for entry in entries.iter().filter(|entry| entry.folder) {
                self.walk(&entry.path, level + 1, cx)?;
            }
        }
        Ok(())
    }
}

/// `Get-ChildItem`.
pub(in crate::builtins) fn get_child_item(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let (mut paths, wildcards) = asked(parameters);
    if paths.is_empty() {
        paths.push(".".into());
    }
    let depth = match number(parameters, "Depth") {
        Some(n) => usize::try_from(n).unwrap_or(0).min(DEEPEST),
        None if parameters.switch("Recurse") => DEEPEST,
        None => 0,
    };
    let include = parameters.get("Include").is_some();
    let patterns = include || parameters.get("Exclude").is_some();
    for path in paths {
        if let Some(items) = super::drives::items(&path, cx) {
            if items.is_empty() && !has_wildcard(&path) {
                cx.write_error(drive_item_missing(&path))?;
            }
            items.into_iter().try_for_each(|item| cx.emit(item))?;
            continue;
        }
        if foreign(&path, cx) {
            continue;
        }
        let wild = wildcards && has_wildcard(&path);
        let mut found = matching(&path, wildcards, cx);
        // `C:\Logs\*.log -Recurse` looks for the pattern everywhere below.
        if wild && depth > 0 && !include {
            let whole = full(&path, cx);
            if let Some((folder, pattern)) = paths::split(&whole) {
                let listing = Listing { parameters, depth, base: folder.to_owned(), spelling: Spelling::Full, patterns };
                let mut all = Vec::new();
                collect(folder, 0, depth, pattern, cx, &mut all);
                all.iter().try_for_each(|entry| listing.show(entry, cx))?;
                continue;
            }
        }
        if found.is_empty() && !wild {
            let record = not_found(&path, cx);
            cx.write_error(record)?;
            continue;
        }
        if wild && let Some(missing) = missing_folder(&path, cx) {
            let record = not_found(&missing, cx);
            cx.write_error(record)?;
            continue;
        }
        let spelling = if wild || include || parameters.get("Exclude").is_some() { Spelling::Full } else { Spelling::Name };
        found.sort_by_key(|entry| !entry.folder);
        for entry in found {
            let base =
                if entry.folder && !wild { entry.path.to_string() } else { paths::split(&entry.path).map_or("", |(f, _)| f).to_owned() };
            let listing = Listing { parameters, depth, base, spelling: if entry.folder { spelling } else { Spelling::Full }, patterns };
            if !entry.folder {
                listing.show(&entry, cx)?;
            } else if wild || !include || depth > 0 {
                listing.walk(&entry.path, 0, cx)?;
            }
        }
    }
    Ok(())
}

/// The folder before the first wildcard of a path, when it does not exist.
fn missing_folder(path: &str, cx: &mut dyn Context) -> Option<String> {
    let whole = full(path, cx);
    let literal: Vec<&str> = whole.split('\\').take_while(|part| !has_wildcard(part)).collect();
    let folder = if literal.len() < 2 { format!("{}\\", literal.concat()) } else { literal.join("\\") };
    cx.world().entry(&folder).is_none().then_some(folder)
}

fn collect(folder: &str, level: usize, depth: usize, pattern: &str, cx: &mut dyn Context, found: &mut Vec<FileEntry>) {
    let entries = inside(folder, cx);
    found.extend(entries.iter().filter(|entry| crate::eval::like(leaf(&entry.path), pattern, false)).cloned());
    if level < depth {
        for entry in entries.iter().filter(|entry| entry.folder) {
            collect(&entry.path, level + 1, depth, pattern, cx, found);
        }
    }
}

/// `New-Item`.
pub(in crate::builtins) fn new_item(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let kind = parameters.text("ItemType").unwrap_or_else(|| "File".into()).to_ascii_lowercase();
    let name = parameters.text("Name");
    let mut paths = texts(parameters, "Path");
    if paths.is_empty() {
        paths.push(".".into());
    }
    for path in paths {
        let path = name.as_ref().map_or_else(|| path.to_string(), |name| format!("{}\\{name}", path.trim_end_matches(['\\', '/'])));
        let value = parameters.get("Value").cloned();
        if super::drives::is_drive_item(&path) {
            if cx.should_process(&format!("Item: {path}"), "New Item")? {
                super::drives::put_value(&path, vec![value.unwrap_or(Value::Null)], cx)?;
            }
            continue;
        }
        if foreign(&path, cx) {
            continue;
        }
        let whole = full(&path, cx);
        let there = cx.world().entry(&whole);
        let force = parameters.switch("Force");
        if "directory".starts_with(&*kind) || kind == "container" {
            new_folder(&whole, there, force, cx)?;
        } else if "file".starts_with(&*kind) {
            if there.as_ref().is_some_and(|entry| entry.folder) {
                cx.write_error(
                    error(
                        format!("Access to the path '{whole}' is denied."),
                        "NewItemUnauthorizedAccessError",
                        "PermissionDenied",
                        "System.UnauthorizedAccessException",
                    )
                    .with_target(Value::str(whole)),
                )?;
            } else if there.is_some() && !force {
                cx.write_error(
                    error(format!("The file '{whole}' already exists."), "NewItemIOError", "WriteError", "System.IO.IOException")
                        .with_target(Value::str(whole)),
                )?;
            } else if cx.should_process(&format!("Destination: {whole}"), "Create File")? {
                let text = value.as_ref().map_or_else(|| "".into(), shared_text);
                write_text(&whole, &text, false, Encoding::Ansi, cx)?;
                emit_entry(&whole, cx)?;
            }
        } else {
            cx.unmodelled(&format!("New-Item -ItemType {kind}"));
        }
    }
    Ok(())
}

fn new_folder(path: &str, there: Option<FileEntry>, force: bool, cx: &mut dyn Context) -> Result<(), Flow> {
    if let Some(entry) = there {
        if force && entry.folder {
            return cx.emit(file_object(&entry, Spelling::Full));
        }
        return cx.write_error(
            error(
                format!("An item with the specified name {path} already exists."),
                "DirectoryExist",
                "ResourceExists",
                "System.IO.IOException",
            )
            .with_target(Value::str(path)),
        );
    }
    if !cx.should_process(&format!("Destination: {path}"), "Create Directory")? {
        return Ok(());
    }
    if !cx.world().make_folder(path) {
        return cx.write_error(ErrorRecord { id: "CreateDirectoryIOError".into(), category: "WriteError".into(), ..unwritable(path) });
    }
    emit_entry(path, cx)
}

fn emit_entry(path: &str, cx: &mut dyn Context) -> Result<(), Flow> {
    match cx.world().entry(path) {
        Some(entry) => cx.emit(file_object(&entry, Spelling::Full)),
        None => Ok(()),
    }
}

/// `Remove-Item`.
pub(in crate::builtins) fn remove_item(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let (paths, wildcards) = asked(parameters);
    let recurse = parameters.switch("Recurse");
    for path in paths {
        if let Some(removed) = super::drives::remove(&path, cx) {
            if !removed && !has_wildcard(&path) {
                cx.write_error(drive_item_missing(&path))?;
            }
            continue;
        }
        if foreign(&path, cx) {
            continue;
        }
        let found = matching(&path, wildcards, cx);
        if found.is_empty() && !(wildcards && has_wildcard(&path)) {
            let record = not_found(&path, cx);
            cx.write_error(record)?;
            continue;
        }
        for entry in found {
            if !admitted(leaf(&entry.path), parameters) {
                continue;
            }
            let kind = if entry.folder { "Remove Directory" } else { "Remove File" };
            if !cx.should_process(&entry.path, kind)? {
                continue;
            }
            if entry.folder && !recurse && !cx.world().entries(&entry.path).is_empty() && !children_too(&entry.path, cx)? {
                continue;
            }
            if !cx.world().remove_file(&entry.path) {
                cx.write_error(
                    error(
                        format!("Cannot remove item {}: Access to the path '{}' is denied.", entry.path, entry.path),
                        "RemoveFileSystemItemUnAuthorizedAccess",
                        "PermissionDenied",
                        "System.UnauthorizedAccessException",
                    )
                    .with_target(Value::Str(entry.path.clone())),
                )?;
            }
        }
    }
    Ok(())
}

/// The question before a folder goes with everything inside.
fn children_too(path: &str, cx: &mut dyn Context) -> Result<bool, Flow> {
    let question = format!(
        "\nConfirm\nThe item at {path} has children and the Recurse parameter was not specified. If you continue, all children will be removed with the \
         item. Are you sure you want to continue?\n[Y] Yes  [A] Yes to All  [N] No  [L] No to All  [S] Suspend  [?] Help (default is \"Y\"):"
    );
    match cx.world().prompt(&question) {
        Some(answer) => Ok(matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes" | "a" | "yes to all")),
        None => Err(error(
            "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
            "InvalidOperation",
            "InvalidOperation",
            "System.Management.Automation.PSInvalidOperationException",
        )
        .into()),
    }
}

/// `Copy-Item`.
pub(in crate::builtins) fn copy_item(parameters: &BoundParameters, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    transfer(parameters, input.as_ref(), false, cx)
}

/// `Move-Item`.
pub(in crate::builtins) fn move_item(parameters: &BoundParameters, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    transfer(parameters, input.as_ref(), true, cx)
}

fn transfer(parameters: &BoundParameters, input: Option<&Value>, remove: bool, cx: &mut dyn Context) -> Result<(), Flow> {
    let given = delayed_text(parameters, "Destination", input, cx)?.unwrap_or_else(|| ".".into());
    for what in ["ToSession", "FromSession"] {
        if parameters.get(what).is_some() {
            cx.unmodelled(&format!("Copy-Item -{what}"));
            return Ok(());
        }
    }
    let (paths, wildcards) = asked(parameters);
    for path in paths {
        if foreign(&path, cx) || foreign(&given, cx) {
            continue;
        }
        let found = matching(&path, wildcards, cx);
        if found.is_empty() && !(wildcards && has_wildcard(&path)) {
            let record = not_found(&path, cx);
            cx.write_error(record)?;
            continue;
        }
        for entry in found {
            if !admitted(leaf(&entry.path), parameters) {
                continue;
            }
            let destination = full(&given, cx);
            let into = cx.world().entry(&destination).is_some_and(|there| there.folder);
            let target = if into { paths::join(&destination, leaf(&entry.path)) } else { destination };
            transfer_one(&entry, &target, parameters, remove, cx)?;
        }
    }
    Ok(())
}

fn transfer_one(entry: &FileEntry, target: &str, parameters: &BoundParameters, remove: bool, cx: &mut dyn Context) -> Result<(), Flow> {
    let kind = if entry.folder { "Directory" } else { "File" };
    let action = format!("{} {kind}", if remove { "Move" } else { "Copy" });
    let over = parameters.switch("Force") && !entry.folder;
    if remove && !over && exists(target, cx) {
        return cx.write_error(
            error(
                "Cannot create a file when that file already exists.\r\n",
                if entry.folder { "MoveDirectoryItemIOError" } else { "MoveFileInfoItemIOError" },
                "WriteError",
                "System.IO.IOException",
            )
            .with_target(Value::Str(entry.path.clone())),
        );
    }
    if target.eq_ignore_ascii_case(&entry.path) {
        return cx.write_error(
            error(format!("Cannot overwrite the item {} with itself.", entry.path), "CopyError", "WriteError", "System.IO.IOException")
                .with_target(Value::Str(entry.path.clone())),
        );
    }
    if !cx.should_process(&format!("Item: {} Destination: {target}", entry.path), &action)? {
        return Ok(());
    }
    copy_tree(entry, target, remove || parameters.switch("Recurse"), 0, cx)?;
    if remove {
        cx.world().remove_file(&entry.path);
    }
    if parameters.switch("PassThru") { emit_entry(target, cx) } else { Ok(()) }
}

fn copy_tree(entry: &FileEntry, target: &str, recurse: bool, level: usize, cx: &mut dyn Context) -> Result<(), Flow> {
    if !entry.folder {
        let content = read(&entry.path, cx).unwrap_or_default();
        return match write_bytes(target, &content, cx) {
            Err(Flow::Error(failure)) => cx.write_error(failure.record),
            other => other,
        };
    }
    if !cx.world().make_folder(target) {
        return cx.write_error(unwritable(target));
    }
    if recurse && level < DEEPEST {
        // What lies inside of the source when the copy begins: a folder copied into itself ends.
        for inner in inside(&entry.path, cx) {
            if !target.to_lowercase().starts_with(&inner.path.to_lowercase()) {
                copy_tree(&inner, &paths::join(target, leaf(&inner.path)), true, level + 1, cx)?;
            }
        }
    }
    Ok(())
}

/// `Rename-Item`.
pub(in crate::builtins) fn rename_item(parameters: &BoundParameters, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let path = parameters.text("Path").or_else(|| parameters.text("LiteralPath")).unwrap_or_else(|| "".into());
    let new = delayed_text(parameters, "NewName", input.as_ref(), cx)?.unwrap_or_else(|| "".into());
    if foreign(&path, cx) {
        return Ok(());
    }
    let whole = full(&path, cx);
    let Some(entry) = cx.world().entry(&whole) else {
        return cx.write_error(
            error(
                format!("Cannot rename because item at '{path}' does not exist."),
                "InvalidOperation",
                "InvalidOperation",
                "System.Management.Automation.PSInvalidOperationException",
            )
            .with_target(Value::Str(path)),
        );
    };
    let folder = paths::split(&whole).map_or("", |(folder, _)| folder).to_owned();
    let new_leaf = if new.contains(['\\', '/']) {
        let target = full(&new, cx);
        match paths::split(&target) {
            Some((into, name)) if into.eq_ignore_ascii_case(&folder) => name.to_owned(),
            _ => {
                return cx.write_error(error(
                    "Cannot rename the specified target, because it represents a path or device name.",
                    "Argument",
                    "InvalidArgument",
                    "System.Management.Automation.PSArgumentException",
                ));
            }
        }
    } else {
        new.to_string()
    };
    let target = paths::join(&folder, &new_leaf);
    if exists(&target, cx) {
        return cx.write_error(
            error("Cannot create a file when that file already exists.\r\n", "RenameItemIOError", "WriteError", "System.IO.IOException")
                .with_target(Value::str(whole)),
        );
    }
    let kind = if entry.folder { "Rename Directory" } else { "Rename File" };
    if !cx.should_process(&format!("Item: {whole} Destination: {target}"), kind)? {
        return Ok(());
    }
    copy_tree(&entry, &target, true, 0, cx)?;
    cx.world().remove_file(&whole);
    if parameters.switch("PassThru") { emit_entry(&target, cx) } else { Ok(()) }
}
