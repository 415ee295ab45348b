//! `Write-*`, `Out-*`, `Read-Host`.

use std::sync::Arc;

use super::files::Encoding;
use super::{error, input_of, list, number};
use crate::command::BoundParameters;
use crate::convert::{shared_text, to_text};
use crate::error::{ErrorRecord, Flow, exception_chain};
use crate::format;
use crate::pipeline::{Context, Stage};
use crate::value::Value;

/// Width of the console when nobody says otherwise.
pub(super) const CONSOLE_WIDTH: usize = 120;

pub(super) fn write_output(parameters: &BoundParameters, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let Some(value) = input_of(parameters, input) else { return Ok(()) };
    match value.items() {
        Some(items) if !parameters.switch("NoEnumerate") => items.into_iter().try_for_each(|item| cx.emit(item)),
        _ => cx.emit(value),
    }
}

/// The text that `Write-Host` makes of a value: elements of collections joined by the separator.
fn host_text(value: &Value, separator: &str) -> String {
    match value.items() {
        Some(items) => items.iter().map(|i| host_text(i, separator)).collect::<Vec<_>>().join(separator),
        None => match value {
            Value::DateTime(_) => crate::convert::display(value),
            Value::Hash(table) => {
                let entries: Vec<String> = table
                    .read()
                    .map(|t| t.entries.values().map(|_| "System.Collections.DictionaryEntry".to_string()).collect())
                    .unwrap_or_default();
                entries.join(separator)
            }
            other => to_text(other, " "),
        },
    }
}

pub(super) fn write_host(parameters: &BoundParameters, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let separator = parameters.get("Separator").map_or_else(|| " ".into(), shared_text);
    let text = match input.or_else(|| parameters.get("Object").cloned()) {
        Some(value) => host_text(&value, &separator),
        None => String::new(),
    };
    cx.host(&text, !parameters.switch("NoNewline"))
}

fn message(parameters: &BoundParameters) -> Arc<str> {
    parameters.get("Message").map_or_else(|| "".into(), shared_text)
}

pub(super) fn write_warning(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    cx.warning(&message(parameters))
}

pub(super) fn write_verbose(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    cx.verbose(&message(parameters))
}

pub(super) fn write_debug(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    cx.debug(&message(parameters))
}

pub(super) fn write_information(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    cx.information(parameters.get("MessageData").cloned().unwrap_or(Value::Null))
}

/// `Write-Error`: with a message, an exception, or a whole record.
pub(super) fn write_error(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    if let Some(Value::Error(record)) = parameters.get("ErrorRecord") {
        return cx.write_error(ErrorRecord::clone(record));
    }
    let mut types = exception_chain("Microsoft.PowerShell.Commands.WriteErrorException");
    let mut text = message(parameters);
    if let Some(Value::Object(exception)) = parameters.get("Exception") {
        types = exception.type_names.iter().filter(|t| &***t != "System.Object").cloned().collect();
        if text.is_empty() {
            text = exception.get("Message").map_or_else(|| "".into(), |m| shared_text(&m));
        }
    }
    let default_id: Arc<str> = types.first().cloned().unwrap_or_else(|| "".into());
    let id = parameters.text("ErrorId").unwrap_or(default_id);
    let category = parameters.text("Category").unwrap_or_else(|| "NotSpecified".into());
    let mut record = ErrorRecord::new(text, id, &category, "System.Exception");
    record.exception_types = types;
    record.target = parameters.get("TargetObject").cloned().unwrap_or(Value::Null);
    cx.write_error(record)
}

/// `Write-Progress` shows nothing in transcripts.
pub(super) fn nothing(_: &BoundParameters, _: Option<Value>, _: &mut dyn Context) -> Result<(), Flow> {
    Ok(())
}

/// The lines of objects through the views of the language and of the world.
pub(super) fn lines(items: &[Value], width: usize, cx: &mut dyn Context) -> Vec<String> {
    let world = std::cell::RefCell::new(cx.world());
    format::lines_with(items, width, &|name| world.borrow().view(name))
}

fn width_of(parameters: &BoundParameters) -> usize {
    number(parameters, "Width").and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 1).unwrap_or(CONSOLE_WIDTH)
}

pub(super) fn out_string(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let lines = lines(&items, width_of(parameters), cx);
    if parameters.switch("Stream") {
        return lines.into_iter().try_for_each(|line| cx.emit(Value::str(line)));
    }
    let end = if parameters.switch("NoNewline") { "" } else { "\r\n" };
    let text: String = lines.iter().flat_map(|line| [line.as_str(), end]).collect();
    cx.emit(Value::str(text))
}

/// `Out-Default` and `Out-Host`: what reaches them is output of the session.
pub(super) fn out_default(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let _ = parameters;
    items.into_iter().try_for_each(|item| cx.emit(item))
}

pub(super) fn out_host(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let _ = parameters;
    lines(&items, CONSOLE_WIDTH, cx).into_iter().try_for_each(|line| cx.host(&line, true))
}

/// Writes formatted lines to a file.
pub(super) fn write_lines(
    parameters: &BoundParameters,
    path: &str,
    items: &[Value],
    width: usize,
    append: bool,
    cx: &mut dyn Context,
) -> Result<(), Flow> {
    let end = if parameters.switch("NoNewline") { "" } else { "\r\n" };
    let text: String = lines(items, width, cx).iter().flat_map(|line| [line.as_str(), end]).collect();
    let encoding = Encoding::of(parameters, Encoding::Utf16)?;
    super::files::write_text(path, &text, append, encoding, cx)
}

pub(super) fn out_file(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let path = parameters.text("FilePath").or_else(|| parameters.text("LiteralPath")).unwrap_or_else(|| "".into());
    let append = parameters.switch("Append");
    if parameters.switch("NoClobber") && !append && super::files::exists(&path, cx) {
        return Err(error(format!("The file '{path}' already exists."), "NoClobber", "ResourceExists", "System.IO.IOException").into());
    }
    if !cx.should_process(&path, "Output to File")? {
        return Ok(());
    }
    write_lines(parameters, &path, &items, width_of(parameters), append, cx)
}

/// `Read-Host`.
pub(super) fn read_host(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let prompt = list(parameters, "Prompt").iter().map(|p| to_text(p, " ")).collect::<Vec<_>>().join(" ");
    let shown = if prompt.is_empty() { String::new() } else { format!("{prompt}: ") };
    match cx.world().prompt(&shown) {
        Some(answer) if parameters.switch("AsSecureString") => cx.emit(super::secure_string(&answer)),
        Some(answer) => cx.emit(Value::str(answer)),
        None => Err(error(
            "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
            "InvalidOperation",
            "InvalidOperation",
            "System.Management.Automation.PSInvalidOperationException",
        )
        .into()),
    }
}

/// `Out-Null`: forgets everything without keeping it.
pub(super) struct OutNull;

impl Stage for OutNull {
    fn process(&mut self, _: Option<Value>, _: &mut dyn Context) -> Result<(), Flow> {
        Ok(())
    }
}
