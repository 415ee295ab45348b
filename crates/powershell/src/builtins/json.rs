//! `ConvertTo-Json` and `ConvertFrom-Json`, with the layout of Windows PowerShell 5.1.

use super::{error, number};
use crate::command::BoundParameters;
use crate::convert::{self, shared_text};
use crate::error::Flow;
use crate::pipeline::Context;
use crate::types;
use crate::value::{Number, PsObject, Value};

pub(super) fn to_json(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let depth = number(parameters, "Depth").map_or(2, |n| usize::try_from(n).unwrap_or(2).min(100));
    let given = parameters.get("InputObject").filter(|_| !cx.has_input());
    let value = match items.as_slice() {
        // What was handed over by name stays what it was.
        _ if given.is_some_and(|value| value.items().is_some()) => given.cloned().unwrap_or(Value::Null),
        [] => return Ok(()),
        // An array given as such stays one.
        [one] => one.clone(),
        many => Value::array(many.to_vec()),
    };
    let mut out = String::new();
    write(&value, depth, if parameters.switch("Compress") { None } else { Some(0) }, &mut out);
    cx.emit(Value::str(out))
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // 5.1 writes what could close a script element as escapes.
            '<' | '>' | '&' | '\'' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn write(value: &Value, depth: usize, indent: Option<usize>, out: &mut String) {
    // Objects that hold themselves twice are written without end.
    if crate::limits::longer(out.len()).is_err() {
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(_) | Value::Long(_) => out.push_str(&shared_text(value)),
        Value::Number(number) => match number {
            Number::Single(_) | Number::Decimal(_) => out.push_str(&float(&shared_text(value))),
            _ => out.push_str(&shared_text(value)),
        },
        Value::Double(n) if n.is_finite() => out.push_str(&float(&convert::text::general(*n, 15))),
        Value::Double(_) => string(&shared_text(value), out),
        Value::Str(text) => string(text, out),
        Value::Char(_) | Value::Guid(_) | Value::Type(_) => string(&shared_text(value), out),
        Value::Script(block) => string(&block.text, out),
        Value::Enum(member) => out.push_str(&member.number.to_string()),
        Value::DateTime(instant) => {
            out.push_str(&format!("\"\\/Date({})\\/\"", instant.unix_ticks() / 10_000));
        }
        Value::Array(_) | Value::List(_) => {
            let items = value.items().unwrap_or_default();
            if depth == usize::MAX {
                return string(&convert::to_text(value, " "), out);
            }
            block('[', ']', items.len(), indent, out, |at, inner, out| {
                child(&items[at], depth, inner, out);
            });
        }
        Value::Hash(table) => {
            let entries: Vec<(Value, Value)> = table.read().map(|t| t.entries.values().cloned().collect()).unwrap_or_default();
            members(&entries.iter().map(|(k, v)| (shared_text(k).to_string(), v.clone())).collect::<Vec<_>>(), depth, indent, out);
        }
        Value::Object(object) if object.text.is_some() && types::property_names(value).is_empty() => string(&shared_text(value), out),
        other => {
            let entries: Vec<(String, Value)> =
                types::property_names(other).iter().map(|n| (n.to_string(), types::property(other, n).unwrap_or(Value::Null))).collect();
            members(&entries, depth, indent, out);
        }
    }
}

fn float(text: &str) -> String {
    if text.contains(['.', 'E', 'e']) { text.to_string() } else { format!("{text}.0") }
}

/// A value one level further down; below the asked depth objects are written as their text.
fn child(value: &Value, depth: usize, indent: Option<usize>, out: &mut String) {
    let deep = matches!(value, Value::Hash(_) | Value::Array(_) | Value::List(_) | Value::Object(_) | Value::Error(_));
    if deep && depth == 0 {
        return match value.items() {
            Some(items) => string(&items.iter().map(|i| shared_text(i).to_string()).collect::<Vec<_>>().join(" "), out),
            None => string(&shared_text(value), out),
        };
    }
    write(value, depth.saturating_sub(1), indent, out);
}

fn members(entries: &[(String, Value)], depth: usize, indent: Option<usize>, out: &mut String) {
    block('{', '}', entries.len(), indent, out, |at, inner, out| {
        let (name, value) = &entries[at];
        string(name, out);
        out.push(':');
        let mut inner = inner;
        if let Some(column) = &mut inner {
            out.push_str("  ");
            // 5.1 indents to the column in which the value begins.
            *column += name.chars().count() + 5;
        }
        child(value, depth, inner, out);
    });
}

fn block(
    open: char,
    close: char,
    count: usize,
    indent: Option<usize>,
    out: &mut String,
    mut element: impl FnMut(usize, Option<usize>, &mut String),
) {
    out.push(open);
    if let Some(column) = indent {
        let inner = column + 4;
        out.push_str("\r\n");
        for at in 0..count {
            out.push_str(&" ".repeat(inner));
            element(at, Some(inner), out);
            out.push_str(if at + 1 < count { ",\r\n" } else { "\r\n" });
        }
        if count == 0 {
            out.push_str("\r\n");
        }
        out.push_str(&" ".repeat(column));
    } else {
        for at in 0..count {
            if at > 0 {
                out.push(',');
            }
            element(at, None, out);
        }
    }
    out.push(close);
}

pub(super) fn from_json(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let _ = parameters;
    let text = items.iter().map(|i| shared_text(i).to_string()).collect::<Vec<_>>().join("\n");
    if text.trim().is_empty() {
        return Ok(());
    }
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(parsed) => cx.emit(value_of(&parsed)),
        Err(_) => {
            let shown: String = text.chars().take(60).collect();
            Err(error(format!("Invalid JSON primitive: {shown}."), "System.ArgumentException", "NotSpecified", "System.ArgumentException")
                .into())
        }
    }
}

fn value_of(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => match n.as_i64() {
            Some(n) => i32::try_from(n).map_or(Value::Long(n), Value::Int),
            None => Value::Double(n.as_f64().unwrap_or(0.0)),
        },
        serde_json::Value::String(s) => {
            let date = s.strip_prefix("/Date(").and_then(|r| r.strip_suffix(")/")).and_then(|m| m.parse::<i64>().ok());
            match date {
                Some(millis) => Value::DateTime(crate::value::DateTime::from_nanoseconds(millis.saturating_mul(1_000_000))),
                None => Value::str(s.as_str()),
            }
        }
        serde_json::Value::Array(items) => Value::array(items.iter().map(value_of).collect()),
        serde_json::Value::Object(entries) => {
            let object = PsObject::custom();
            for (name, value) in entries {
                object.set(name, value_of(value));
            }
            object.into()
        }
    }
}
