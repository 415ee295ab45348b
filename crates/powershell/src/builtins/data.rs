//! `ConvertTo-Csv`, `ConvertFrom-Csv`, `Export-Csv`, `Import-Csv`, `Select-String`.

use std::sync::Arc;

use super::{error, texts};
use crate::command::BoundParameters;
use crate::convert::{display, shared_text};
use crate::error::Flow;
use crate::pipeline::Context;
use crate::types;
use crate::types::regexes::{Asker, Flags, Pattern, PatternError};
use crate::value::{PsObject, Value};

fn delimiter(parameters: &BoundParameters) -> char {
    parameters.get("Delimiter").and_then(|d| shared_text(d).chars().next()).unwrap_or(',')
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Lines of CSV: the columns are those of the first object.
fn to_lines(parameters: &BoundParameters, items: &[Value], header: bool) -> Vec<String> {
    let Some(first) = items.first() else { return Vec::new() };
    lines_of(parameters, items, &types::property_names(first), header)
}

/// Lines of CSV with given columns.
fn lines_of(parameters: &BoundParameters, items: &[Value], columns: &[Arc<str>], header: bool) -> Vec<String> {
    let Some(first) = items.first() else { return Vec::new() };
    let delimiter = delimiter(parameters).to_string();
    let mut lines = Vec::new();
    if header && !parameters.switch("NoTypeInformation") {
        let name = types::type_names(first).first().cloned().unwrap_or_else(|| "System.Object".into());
        lines.push(format!("#TYPE {name}"));
    }
    if header {
        lines.push(columns.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(&delimiter));
    }
    for item in items {
        let cells: Vec<String> = columns
            .iter()
            .map(|c| match types::property(item, c) {
                None | Some(Value::Null) => String::new(),
                Some(value) => quoted(&display(&value)),
            })
            .collect();
        lines.push(cells.join(&delimiter));
    }
    lines
}

pub(super) fn convert_to_csv(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    to_lines(parameters, &items, true).into_iter().try_for_each(|line| cx.emit(Value::str(line)))
}

/// The columns of the file that is appended to.
fn append_columns(parameters: &BoundParameters, path: &str, append: bool, cx: &mut dyn Context) -> Option<Vec<Arc<str>>> {
    if !append {
        return None;
    }
    let text = super::decode_text(&super::files::read(path, cx)?);
    let text = if text.starts_with("#TYPE ") { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    let columns = records(text, delimiter(parameters)).into_iter().next()?;
    Some(columns.into_iter().map(Arc::from).collect())
}

pub(super) fn export_csv(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let path = parameters.text("Path").or_else(|| parameters.text("LiteralPath")).unwrap_or_else(|| "".into());
    let there = super::files::exists(&path, cx);
    let append = parameters.switch("Append") && there;
    if parameters.switch("NoClobber") && there && !append {
        return Err(error(format!("The file '{path}' already exists."), "NoClobber", "ResourceExists", "System.IO.IOException").into());
    }
    if !cx.should_process(&path, "Export-Csv")? {
        return Ok(());
    }
    let lines = match append_columns(parameters, &path, append, cx) {
        None => to_lines(parameters, &items, !append),
        Some(columns) => {
            for item in &items {
                let lacking = columns.iter().find(|column| types::property(item, column).is_none());
                if let Some(column) = lacking.filter(|_| !parameters.switch("Force")) {
                    return cx.write_error(
                        error(
                            format!(
                                "Cannot append CSV content to the following file: {path}. The appended object does not have a property that corresponds \
                                 to the following column: {column}. To continue with mismatched properties, add the -Force parameter, and then retry the command."
                            ),
                            "CannotAppendCsvWithMismatchedPropertyNames",
                            "InvalidData",
                            "System.InvalidOperationException",
                        )
                        .with_target(Value::Str(column.clone())),
                    );
                }
            }
            lines_of(parameters, &items, &columns, false)
        }
    };
    let text: String = lines.into_iter().flat_map(|line| [line, "\r\n".to_string()]).collect();
    let encoding = super::files::Encoding::of(parameters, super::files::Encoding::Ascii)?;
    super::files::write_text(&path, &text, append, encoding, cx)
}

/// Splits CSV text into records; quotes may hold delimiters and line ends.
fn records(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let (mut record, mut field, mut inside, mut was_quoted) = (Vec::new(), String::new(), false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if inside {
            if c == '"' && chars.peek() == Some(&'"') {
                chars.next();
                field.push('"');
            } else if c == '"' {
                inside = false;
            } else {
                field.push(c);
            }
            continue;
        }
        match c {
            '"' if field.trim().is_empty() => {
                field.clear();
                inside = true;
                was_quoted = true;
            }
            '\r' => {}
            '\n' => {
                if !record.is_empty() || !field.is_empty() || was_quoted {
                    record.push(std::mem::take(&mut field));
                    records.push(std::mem::take(&mut record));
                }
                was_quoted = false;
            }
            c if c == delimiter => {
                record.push(std::mem::take(&mut field));
                was_quoted = false;
            }
            c if was_quoted && c == ' ' => {}
            c => field.push(c),
        }
    }
    if !record.is_empty() || !field.is_empty() || was_quoted {
        record.push(field);
        records.push(record);
    }
    records
}

fn emit_objects(parameters: &BoundParameters, text: &str, cx: &mut dyn Context) -> Result<(), Flow> {
    let mut type_name: Option<Arc<str>> = None;
    let text = match text.strip_prefix("#TYPE ") {
        Some(rest) => {
            let (name, rest) = rest.split_once('\n').unwrap_or((rest, ""));
            type_name = Some(format!("CSV:{}", name.trim()).into());
            rest
        }
        None => text,
    };
    let mut rows = records(text, delimiter(parameters)).into_iter();
    let given = texts(parameters, "Header");
    let columns: Vec<Arc<str>> =
        if given.is_empty() { rows.next().unwrap_or_default().into_iter().map(Arc::from).collect() } else { given };
    for row in rows {
        let mut object = PsObject::custom();
        if let Some(name) = &type_name {
            object.type_names.insert(0, name.clone());
        }
        for (at, column) in columns.iter().enumerate() {
            object.set(column, row.get(at).map_or(Value::Null, |cell| Value::str(cell.as_str())));
        }
        cx.emit(object.into())?;
    }
    Ok(())
}

pub(super) fn convert_from_csv(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let text: String = items.iter().map(|i| format!("{}\n", shared_text(i))).collect();
    emit_objects(parameters, &text, cx)
}

pub(super) fn import_csv(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let mut named = texts(parameters, "Path");
    named.extend(texts(parameters, "LiteralPath"));
    for path in named {
        let Some(content) = super::files::read(&path, cx) else {
            let record = super::files::no_such_file(&path, cx);
            cx.write_error(record)?;
            continue;
        };
        emit_objects(parameters, &super::decode_text(&content), cx)?;
    }
    Ok(())
}

pub(super) fn select_string(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let case = parameters.switch("CaseSensitive");
    let mut patterns = Vec::new();
    for pattern in texts(parameters, "Pattern") {
        let flags = Flags::case(case);
        let made = if parameters.switch("SimpleMatch") { Pattern::literal(&pattern, flags) } else { Pattern::new(&pattern, flags) };
        patterns.push(Arc::new(made.map_err(|fault| {
            let record = fault.record(&pattern, Asker::Operator);
            match fault {
                PatternError::NotModelled(_) => Flow::from(record),
                PatternError::Invalid(_) => error(
                    format!("The string {pattern} is not a valid regular expression: {}", record.message),
                    "InvalidRegex",
                    "InvalidArgument",
                    "System.ArgumentException",
                )
                .into(),
            }
        })?));
    }
    let mut sources: Vec<(String, Vec<String>)> = Vec::new();
    let mut named: Vec<(Arc<str>, bool)> = texts(parameters, "Path").into_iter().map(|path| (path, true)).collect();
    named.extend(texts(parameters, "LiteralPath").into_iter().map(|path| (path, false)));
    let mut stream: Vec<String> = Vec::new();
    for item in &items {
        match item {
            // Files of the pipeline are looked into.
            Value::Object(object) if object.is_type("System.IO.FileInfo") => {
                named.extend(object.get("FullName").map(|path| (shared_text(&path), false)));
            }
            item => stream.push(shared_text(item).to_string()),
        }
    }
    for (path, wildcards) in named {
        let found = super::files::matching(&path, wildcards, cx);
        if found.is_empty() && !(wildcards && super::properties::has_wildcard(&path)) {
            let record = super::files::not_found(&path, cx);
            cx.write_error(record)?;
        }
        for entry in found.into_iter().filter(|entry| !entry.folder) {
            let content = super::files::read(&entry.path, cx).unwrap_or_default();
            sources.push((entry.path.to_string(), super::decode_text(&content).lines().map(str::to_string).collect()));
        }
    }
    let from_files = !sources.is_empty();
    if !stream.is_empty() {
        sources.push(("InputStream".into(), stream));
    }
    for (path, lines) in sources {
        for (at, line) in lines.iter().enumerate() {
            let mut hit = None;
            for pattern in &patterns {
                if pattern.is_match(line)? {
                    hit = Some(pattern);
                    break;
                }
            }
            if hit.is_some() == parameters.switch("NotMatch") {
                continue;
            }
            if parameters.switch("Quiet") {
                return cx.emit(Value::Bool(true));
            }
            let mut matches = Vec::new();
            if let Some(pattern) = hit {
                let most = if parameters.switch("AllMatches") { usize::MAX } else { 1 };
                let subject: Arc<str> = line.as_str().into();
                for found in pattern.find_all(line, most)? {
                    matches.push(types::regexes::match_object(pattern, &subject, Some(found)));
                }
            }
            let number = i32::try_from(at + 1).unwrap_or(0);
            let text = if path == "InputStream" { line.clone() } else { format!("{path}:{number}:{line}") };
            let object = PsObject::new("Microsoft.PowerShell.Commands.MatchInfo")
                .with("IgnoreCase", !case)
                .with("LineNumber", number)
                .with("Line", line.clone())
                .with("Filename", path.rsplit('\\').next().unwrap_or(&path))
                .with("Path", path.clone())
                .with("Pattern", hit.map_or("", |p| p.as_str()))
                .with("Matches", Value::array(matches))
                .with_text(text);
            cx.emit(object.into())?;
            if parameters.switch("List") && path != "InputStream" {
                break;
            }
        }
    }
    // Nothing found in files is said, nothing found in the pipeline is not.
    if parameters.switch("Quiet") && from_files { cx.emit(Value::Bool(false)) } else { Ok(()) }
}
