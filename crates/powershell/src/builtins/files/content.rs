//! `Get-Content`, `Set-Content`, `Add-Content`, `Clear-Content`.

use super::{Encoding, asked, decode_text, exists, foreign, full, matching, not_found, read, write_bytes, write_text};
use crate::builtins::{error, list, number};
use crate::command::BoundParameters;
use crate::convert::shared_text;
use crate::error::Flow;
use crate::pipeline::Context;
use crate::value::{Number, Value};

/// Files that a path means; what is missing has been said.
fn sources(path: &str, wildcards: bool, cx: &mut dyn Context) -> Result<Vec<String>, Flow> {
    let wild = wildcards && crate::builtins::properties::has_wildcard(path);
    let found = matching(path, wildcards, cx);
    if found.is_empty() && !wild {
        let record = not_found(path, cx);
        cx.write_error(record)?;
    }
    let mut files = Vec::new();
    for entry in found {
        if !entry.folder {
            files.push(entry.path.to_string());
        } else if !wild {
            cx.write_error(
                error(
                    format!("Access to the path '{}' is denied.", entry.path),
                    "GetContentReaderUnauthorizedAccessError",
                    "PermissionDenied",
                    "System.UnauthorizedAccessException",
                )
                .with_target(Value::Str(entry.path.clone())),
            )?;
        }
    }
    Ok(files)
}

/// Lines of a text, whatever ends them.
fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\r', '\n']) {
        lines.push(&rest[..at]);
        let skip = if rest[at..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[at + skip..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// `Get-Content`.
pub(in crate::builtins) fn get_content(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let (paths, wildcards) = asked(parameters);
    let first = number(parameters, "TotalCount").filter(|n| *n >= 0).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let last = number(parameters, "Tail").map(|n| usize::try_from(n).unwrap_or(0));
    if first.is_some() && last.is_some() {
        return Err(error(
            "The parameters TotalCount and Tail cannot be used together. Please specify only one parameter.",
            "TailAndHeadCannotCoexist",
            "InvalidOperation",
            "System.InvalidOperationException",
        )
        .into());
    }
    for path in paths {
        if let Some(value) = super::drives::value_of(&path, cx) {
            let items = value.items().unwrap_or_else(|| vec![value.clone()]);
            items.into_iter().try_for_each(|item| cx.emit(item))?;
            continue;
        }
        if foreign(&path, cx) {
            continue;
        }
        for path in sources(&path, wildcards, cx)? {
            let Some(content) = read(&path, cx) else { continue };
            if Encoding::of(parameters, Encoding::Ansi)? == Encoding::Bytes {
                content.iter().try_for_each(|byte| cx.emit(Value::Number(Number::Byte(*byte))))?;
                continue;
            }
            let text = decode_text(&content);
            if parameters.switch("Raw") {
                if !text.is_empty() {
                    cx.emit(Value::str(text))?;
                }
                continue;
            }
            let pieces: Vec<&str> = match parameters.text("Delimiter").filter(|d| !d.is_empty()) {
                None => lines(&text),
                Some(delimiter) => {
                    let mut pieces: Vec<&str> = text.split(&*delimiter).collect();
                    if pieces.last().is_some_and(|last| last.is_empty()) {
                        pieces.pop();
                    }
                    pieces
                }
            };
            let from = last.map_or(0, |n| pieces.len().saturating_sub(n));
            let chosen: Vec<Value> = pieces.iter().take(first.unwrap_or(usize::MAX)).skip(from).map(|p| Value::str(*p)).collect();
            match number(parameters, "ReadCount") {
                Some(0) => match chosen.len() {
                    0 => {}
                    1 => chosen.into_iter().try_for_each(|line| cx.emit(line))?,
                    _ => cx.emit(Value::array(chosen))?,
                },
                Some(n) if n > 1 => {
                    let size = usize::try_from(n).unwrap_or(usize::MAX);
                    chosen.chunks(size).try_for_each(|chunk| cx.emit(Value::array(chunk.to_vec())))?;
                }
                _ => chosen.into_iter().try_for_each(|line| cx.emit(line))?,
            }
        }
    }
    Ok(())
}

fn values(parameters: &BoundParameters, items: &[Value]) -> Vec<Value> {
    if items.is_empty() && parameters.get("Value").is_none_or(Value::is_null) {
        return Vec::new();
    }
    let values = if items.is_empty() { list(parameters, "Value") } else { items.to_vec() };
    values.into_iter().flat_map(|value| value.items().unwrap_or_else(|| vec![value])).collect()
}

fn put(parameters: &BoundParameters, items: &[Value], append: bool, cx: &mut dyn Context) -> Result<(), Flow> {
    let (paths, wildcards) = asked(parameters);
    let encoding = Encoding::of(parameters, Encoding::Ansi)?;
    let values = values(parameters, items);
    let action = if append { "Add Content" } else { "Set Content" };
    for path in paths {
        if super::drives::is_drive_item(&path) {
            super::drives::put_value(&path, values.clone(), cx)?;
            continue;
        }
        if foreign(&path, cx) {
            continue;
        }
        let wild = wildcards && crate::builtins::properties::has_wildcard(&path);
        let targets: Vec<String> =
            if wild { matching(&path, true, cx).iter().map(|e| e.path.to_string()).collect() } else { vec![full(&path, cx)] };
        for target in targets {
            if !cx.should_process(&format!("Path: {target}"), action)? {
                continue;
            }
            if encoding == Encoding::Bytes {
                let bytes = values.iter().filter_map(|v| match crate::convert::cast_resolved(v, "System.Byte") {
                    Ok(Value::Number(Number::Byte(byte))) => Some(byte),
                    _ => None,
                });
                let mut content: Vec<u8> = if append { read(&target, cx).map(|old| old.to_vec()).unwrap_or_default() } else { Vec::new() };
                content.extend(bytes);
                write_bytes(&target, &content, cx)?;
            } else {
                let end = if parameters.switch("NoNewline") { "" } else { "\r\n" };
                let text: String = values.iter().flat_map(|v| [shared_text(v).to_string(), end.to_string()]).collect();
                write_text(&target, &text, append, encoding, cx)?;
            }
        }
    }
    if !parameters.switch("PassThru") {
        return Ok(());
    }
    // What was given as one list is passed on as one.
    if items.is_empty() && values.len() > 1 {
        cx.emit(Value::array(values))
    } else {
        values.into_iter().try_for_each(|value| cx.emit(value))
    }
}

/// `Set-Content`.
pub(in crate::builtins) fn set_content(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    put(parameters, &items, false, cx)
}

/// `Add-Content`.
pub(in crate::builtins) fn add_content(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    put(parameters, &items, true, cx)
}

/// `Clear-Content`.
pub(in crate::builtins) fn clear_content(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let (paths, wildcards) = asked(parameters);
    for path in paths {
        if foreign(&path, cx) {
            continue;
        }
        let wild = wildcards && crate::builtins::properties::has_wildcard(&path);
        if !wild && !exists(&path, cx) {
            let record = not_found(&path, cx);
            cx.write_error(record)?;
            continue;
        }
        for entry in matching(&path, wildcards, cx) {
            if !entry.folder && cx.should_process(&format!("Item: {}", entry.path), "Clear Content")? {
                write_bytes(&entry.path, &[], cx)?;
            }
        }
    }
    Ok(())
}
