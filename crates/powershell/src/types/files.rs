//! `System.IO.Path`, `System.IO.File` and `System.IO.Directory` over the virtual file system.

use super::call::{ARGUMENT, Call, Found, gives, void};
use super::converter::Encoding;
use super::strings::bytes;
use crate::convert::shared_text;
use crate::error::Flow;
use crate::pipeline::{Argument, ArgumentKind, Context};
use crate::value::Value;

const STRING: &str = "System.String";

/// Where the name of a file begins in a path.
fn name_at(path: &str) -> usize {
    path.rfind(['\\', '/', ':']).map_or(0, |at| at + 1)
}

/// Where the extension of a path begins, its dot included.
fn extension_at(path: &str) -> Option<usize> {
    let name = name_at(path);
    path[name..].rfind('.').map(|at| at + name).filter(|at| at + 1 < path.len())
}

/// Length of the root of a path: `C:\`, `\\server\share`, `\`.
fn root_length(path: &str) -> usize {
    let slash = |b: &u8| matches!(b, b'\\' | b'/');
    match path.as_bytes() {
        [a, b, ..] if slash(a) && slash(b) => {
            let mut parts = path.match_indices(['\\', '/']).skip(2).map(|(at, _)| at);
            let _share = parts.next();
            parts.next().unwrap_or(path.len())
        }
        [letter, b':', c, ..] if letter.is_ascii_alphabetic() && slash(c) => 3,
        [letter, b':', ..] if letter.is_ascii_alphabetic() => 2,
        [a, ..] if slash(a) => 1,
        _ => 0,
    }
}

/// `GetFullPath`: from the current folder, without `.` and `..`.
fn full_path(path: &str, current: &str) -> String {
    let path = path.replace('/', "\\");
    let absolute = match root_length(&path) {
        0 => format!("{}\\{path}", current.trim_end_matches('\\')),
        1 => format!("{}{path}", &current[..2.min(current.len())]),
        2 => format!("{}\\{}", &path[..2], &path[2..]),
        _ => path,
    };
    let root = root_length(&absolute);
    let mut parts: Vec<&str> = Vec::new();
    for part in absolute[root..].split('\\') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let tail = if absolute.ends_with('\\') && !parts.is_empty() { "\\" } else { "" };
    let joint = if absolute[..root].ends_with('\\') || parts.is_empty() { "" } else { "\\" };
    format!("{}{joint}{}{tail}", &absolute[..root], parts.join("\\"))
}

/// Joins as `Path.Combine` does: a rooted part starts anew.
fn combine(parts: impl Iterator<Item = std::sync::Arc<str>>) -> String {
    parts.fold(String::new(), |whole, part| {
        if part.is_empty() {
            whole
        } else if whole.is_empty() || root_length(&part) > 0 {
            part.to_string()
        } else if whole.ends_with(['\\', '/', ':']) {
            whole + &part
        } else {
            format!("{whole}\\{part}")
        }
    })
}

const ILLEGAL: [char; 4] = ['"', '<', '>', '|'];

/// Static members of `[System.IO.Path]`.
pub(super) fn path_statics(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let path = call.text(0);
    if path.contains(ILLEGAL) || path.contains('\0') {
        return Err(call.threw("Illegal characters in path.", ARGUMENT));
    }
    match (call.lower, call.count()) {
        ("getfilename", 1) => gives(&path[name_at(&path)..]),
        ("getfilenamewithoutextension", 1) => {
            let from = name_at(&path);
            let to = path[from..].rfind('.').map_or(path.len(), |at| at + from);
            gives(&path[from..to])
        }
        ("getextension", 1) => gives(extension_at(&path).map_or("", |at| &path[at..])),
        ("hasextension", 1) => gives(extension_at(&path).is_some()),
        ("getdirectoryname", 1) => {
            let root = root_length(&path);
            if path.len() <= root {
                return gives(Value::Null);
            }
            let cut = path.rfind(['\\', '/']).unwrap_or(0).max(root);
            gives(path[..cut].replace('/', "\\"))
        }
        ("getpathroot", 1) => gives(path[..root_length(&path)].replace('/', "\\")),
        ("combine", 1..) => {
            let parts: Vec<_> = match call.arguments {
                [one] if one.items().is_some() => call.items(0),
                many => many.to_vec(),
            };
            if parts.iter().any(Value::is_null) {
                return Err(call.threw("Value cannot be null.\r\nParameter name: path2", "System.ArgumentNullException"));
            }
            gives(combine(parts.iter().map(shared_text)))
        }
        ("changeextension", 2) => {
            let stem = path[name_at(&path)..].rfind('.').map_or(&*path, |at| &path[..at + name_at(&path)]);
            let extension = call.text(1);
            gives(if extension.starts_with('.') { format!("{stem}{extension}") } else { format!("{stem}.{extension}") })
        }
        ("getfullpath", 1) => {
            let current = current_folder(cx);
            gives(full_path(&path, &current))
        }
        ("ispathrooted", 1) => gives(root_length(&path) > 0),
        ("gettemppath", 0) => gives("C:\\Users\\Administrator\\AppData\\Local\\Temp\\"),
        ("getrandomfilename", 0) => {
            let name = random_name(cx);
            gives(format!("{}.{}", &name[..8], &name[8..11]))
        }
        ("gettempfilename", 0) => {
            let name = random_name(cx);
            let path = format!("C:\\Users\\Administrator\\AppData\\Local\\Temp\\tmp{}.tmp", name[..4].to_ascii_uppercase());
            write(&path, &[], call, cx)?;
            gives(path)
        }
        ("getinvalidfilenamechars", 0) => {
            let controls = (0..32u8).map(|b| Value::Char(char::from(b)));
            let others = ['"', '<', '>', '|', ':', '*', '?', '\\', '/'].map(Value::Char);
            gives(Value::typed_array(
                "System.Char",
                others[..4].iter().cloned().chain(controls).chain(others[4..].iter().cloned()).collect(),
            ))
        }
        ("getinvalidpathchars", 0) => {
            let controls = (0..32u8).map(|b| Value::Char(char::from(b)));
            gives(Value::typed_array("System.Char", ILLEGAL.map(Value::Char).into_iter().chain(controls).collect()))
        }
        _ => Ok(None),
    }
}

fn random_name(cx: &mut dyn Context) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";
    let mut bits = cx.world().guid();
    (0..11)
        .map(|_| {
            let letter = char::from(LETTERS[usize::try_from(bits & 31).unwrap_or(0)]);
            bits >>= 5;
            letter
        })
        .collect()
}

/// Constants of `[System.IO.Path]`.
pub(super) fn constant(full: &str, lower: &str) -> Option<Value> {
    if full != "System.IO.Path" {
        return None;
    }
    Some(Value::Char(match lower {
        "directoryseparatorchar" => '\\',
        "altdirectoryseparatorchar" => '/',
        "pathseparator" => ';',
        "volumeseparatorchar" => ':',
        _ => return None,
    }))
}

fn write(path: &str, content: &[u8], call: &Call<'_>, cx: &mut dyn Context) -> Result<(), Flow> {
    if cx.world().write_file(path, content) {
        return Ok(());
    }
    Err(call.threw(&format!("Access to the path '{path}' is denied."), "System.UnauthorizedAccessException"))
}

/// Static members of `[System.IO.File]`.
pub(super) fn file_statics(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let path = full_path(&call.text(0), &current_folder(cx));
    let count = call.count();
    let missing = || call.threw(&format!("Could not find file '{path}'."), "System.IO.FileNotFoundException");
    // Without an encoding, UTF-8 without a mark.
    let encoding = |at: usize| Encoding::of(call.value(at)).map(|e| (e, e.mark())).unwrap_or((Encoding::Utf8, &[]));
    match (call.lower, count) {
        ("exists", 1) => gives(!call.text(0).is_empty() && cx.world().read_file(&path).is_some()),
        ("readalltext" | "readalllines" | "readlines", 1 | 2) | ("readallbytes", 1) => {
            let content = cx.world().read_file(&path).ok_or_else(missing)?;
            if call.lower == "readallbytes" {
                return gives(bytes(&content));
            }
            let marked =
                content.starts_with(&[0xEF, 0xBB, 0xBF]) || content.starts_with(&[0xFF, 0xFE]) || content.starts_with(&[0xFE, 0xFF]);
            let text = match Encoding::of(call.value(1)) {
                Some(encoding) if !marked => encoding.decode(&content),
                None if !marked => Encoding::Utf8.decode(&content),
                _ => crate::builtins::decode_text(&content),
            };
            if call.lower == "readalltext" {
                return gives(text);
            }
            gives(Value::typed_array(STRING, text.lines().map(Value::str).collect()))
        }
        ("writealltext" | "appendalltext", 2 | 3) | ("writealllines" | "appendalllines", 2 | 3) | ("writeallbytes", 2) => {
            if call.lower == "writeallbytes" {
                write(&path, &super::converter::raw(call.value(1)), call, cx)?;
                return void();
            }
            let (encoding, mark) = encoding(2);
            let text = if call.lower.ends_with("lines") {
                call.items(1).iter().map(|line| format!("{}\r\n", shared_text(line))).collect::<String>()
            } else {
                call.text(1).to_string()
            };
            let old = if call.lower.starts_with("append") { cx.world().read_file(&path) } else { None };
            let mut content = old.as_deref().unwrap_or(mark).to_vec();
            content.extend(encoding.encode(&text));
            write(&path, &content, call, cx)?;
            void()
        }
        ("delete", 1) => {
            if cx.world().read_file(&path).is_some() && !cx.world().remove_file(&path) {
                return Err(call.threw(&format!("Access to the path '{path}' is denied."), "System.UnauthorizedAccessException"));
            }
            void()
        }
        ("copy" | "move", 2 | 3) => {
            let target = full_path(&call.text(1), &current_folder(cx));
            let content = cx.world().read_file(&path).ok_or_else(missing)?;
            let overwrite = call.lower == "copy" && count == 3 && call.flag(2);
            if !overwrite && cx.world().read_file(&target).is_some() {
                let reason = match call.lower {
                    "copy" => format!("The file '{target}' already exists."),
                    _ => "Cannot create a file when that file already exists.\r\n".into(),
                };
                return Err(call.threw(&reason, "System.IO.IOException"));
            }
            write(&target, &content, call, cx)?;
            if call.lower == "move" {
                cx.world().remove_file(&path);
            }
            void()
        }
        _ => Ok(None),
    }
}

/// Runs a cmdlet with named parameters and returns what it wrote.
pub(super) fn cmdlet(cx: &mut dyn Context, name: &str, parameters: &[(&str, Value)]) -> Result<Vec<Value>, Flow> {
    let argument = |(name, value): &(&str, Value)| Argument {
        kind: ArgumentKind::Named { name: (*name).into(), value: Some(value.clone()), value_span: None },
        span: crate::source::Span::default(),
    };
    cx.run_command(name, parameters.iter().map(argument).collect(), None)
}

/// The folder that relative paths start from.
fn current_folder(cx: &mut dyn Context) -> String {
    let location = cmdlet(cx, "Get-Location", &[]).ok().and_then(|found| found.into_iter().next());
    let path = location.and_then(|location| super::property(&location, "Path"));
    path.map_or_else(|| "C:\\".into(), |path| shared_text(&path).to_string())
}

fn folder_exists(path: &str, cx: &mut dyn Context) -> bool {
    let found = cmdlet(cx, "Test-Path", &[("LiteralPath", Value::str(path)), ("PathType", Value::str("Container"))]);
    found.is_ok_and(|found| found.first().is_some_and(crate::convert::to_bool))
}

/// Static members of `[System.IO.Directory]`; the cmdlets for items do the work.
pub(super) fn directory_statics(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let path = full_path(&call.text(0), &current_folder(cx));
    let there = |cx: &mut dyn Context| {
        if folder_exists(&path, cx) {
            return Ok(());
        }
        Err(call.threw(&format!("Could not find a part of the path '{path}'."), "System.IO.DirectoryNotFoundException"))
    };
    match (call.lower, call.count()) {
        ("exists", 1) => gives(!call.text(0).is_empty() && folder_exists(&path, cx)),
        ("getcurrentdirectory", 0) => gives(current_folder(cx)),
        ("createdirectory", 1) => {
            let made = cmdlet(
                cx,
                "New-Item",
                &[("Path", Value::str(&*path)), ("ItemType", Value::str("Directory")), ("Force", Value::Bool(true))],
            )?;
            gives(made.into_iter().next().unwrap_or(Value::Null))
        }
        ("delete", 1 | 2) => {
            there(cx)?;
            let inside = cmdlet(cx, "Get-ChildItem", &[("LiteralPath", Value::str(&*path))])?;
            if !inside.is_empty() && !call.flag(1) {
                return Err(call.threw("The directory is not empty.\r\n", "System.IO.IOException"));
            }
            cmdlet(
                cx,
                "Remove-Item",
                &[("LiteralPath", Value::str(&*path)), ("Recurse", Value::Bool(true)), ("Force", Value::Bool(true))],
            )?;
            void()
        }
        ("getfiles" | "enumeratefiles" | "getdirectories" | "enumeratedirectories" | "getfilesystementries", 1..=3) => {
            there(cx)?;
            let pattern = if call.count() > 1 { call.text(1) } else { "*".into() };
            let mut parameters = vec![("LiteralPath", Value::str(&*path))];
            match call.lower {
                "getfiles" | "enumeratefiles" => parameters.push(("File", Value::Bool(true))),
                "getdirectories" | "enumeratedirectories" => parameters.push(("Directory", Value::Bool(true))),
                _ => {}
            }
            if call.count() > 2 && call.text(2).eq_ignore_ascii_case("AllDirectories") {
                parameters.push(("Recurse", Value::Bool(true)));
            }
            let mut found = Vec::new();
            for item in cmdlet(cx, "Get-ChildItem", &parameters)? {
                let name = super::property(&item, "Name").map(|n| shared_text(&n)).unwrap_or_default();
                if &*pattern == "*.*" || crate::eval::like(&name, &pattern, false) {
                    found.push(super::property(&item, "FullName").unwrap_or(Value::Null));
                }
            }
            gives(Value::typed_array(STRING, found))
        }
        _ => Ok(None),
    }
}
