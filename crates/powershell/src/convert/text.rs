//! String forms of values.

use std::sync::Arc;

use super::datetime;
use crate::value::{Number, Value};

/// How deep nested collections and objects are followed.
const MAX_DEPTH: usize = 16;

/// Rules for dates differ between string interpolation and display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Culture {
    /// `"$x"`, `[string]$x`.
    Invariant,
    /// `$x.ToString()`, `-f`, tables and lists: en-US.
    EnUs,
}

/// The string form of a value, as `"$x"` and `[string]` give it; arrays join with `separator` (`$OFS`, a blank).
pub fn to_text(value: &Value, separator: &str) -> String {
    text(value, separator, Culture::Invariant, 0)
}

/// What `ToString()` gives under en-US; collections give their type name.
pub fn display(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::List(_) | Value::Hash(_) => crate::types::type_name(value).to_string(),
        Value::Object(_) if crate::types::xml::is_node(value) => crate::types::xml::shown(value),
        other => text(other, " ", Culture::EnUs, 0),
    }
}

/// The text of a value without copying it when it is a string already.
pub fn shared_text(value: &Value) -> Arc<str> {
    match value {
        Value::Str(text) => text.clone(),
        other => to_text(other, " ").into(),
    }
}

fn text(value: &Value, separator: &str, culture: Culture, depth: usize) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Int(n) => n.to_string(),
        Value::Long(n) => n.to_string(),
        Value::Double(n) => general(*n, 15),
        Value::Number(n) => number_text(*n),
        Value::Char(c) => c.to_string(),
        Value::Str(text) => text.to_string(),
        Value::DateTime(instant) => {
            let format = if culture == Culture::Invariant { "MM/dd/yyyy HH:mm:ss" } else { "G" };
            datetime::format(*instant, format).unwrap_or_default()
        }
        Value::TimeSpan(span) => datetime::span_text(*span),
        Value::Guid(guid) => guid_text(*guid),
        Value::Version(parts) => version_text(parts),
        Value::Array(_) | Value::List(_) => {
            let items = value.items().unwrap_or_default();
            if depth >= MAX_DEPTH {
                return crate::types::type_name(value).to_string();
            }
            // Arrays inside arrays show only what they are.
            let parts = items.iter().map(|item| match item {
                Value::Array(_) | Value::List(_) => crate::types::type_name(item).to_string(),
                item => text(item, separator, culture, depth + 1),
            });
            crate::limits::joined(parts, separator)
        }
        Value::Hash(_) => crate::types::type_name(value).to_string(),
        Value::Script(block) => block.text.to_string(),
        Value::Type(name) => crate::types::type_literal_text(name),
        Value::Enum(member) => member.name.to_string(),
        Value::Error(record) => record.message.to_string(),
        Value::Object(object) => {
            if let Some(text) = &object.text {
                return text.to_string();
            }
            if let Some(text) = object.source.as_ref().and_then(|source| source.text()) {
                return text;
            }
            let custom = object.type_names.iter().any(|t| &**t == "System.Management.Automation.PSCustomObject");
            let class = object.type_names.first().map_or("System.Object", |t| &**t);
            if !custom && !class.starts_with("Selected.") && !class.starts_with("Deserialized.") {
                return class.to_string();
            }
            if depth >= MAX_DEPTH {
                return String::new();
            }
            let mut parts = Vec::new();
            for name in object.names() {
                let value = object.get(&name).unwrap_or(Value::Null);
                let inner = match &value {
                    Value::Array(_) | Value::List(_) => crate::types::type_name(&value).to_string(),
                    Value::Object(inner) if inner.text.is_none() && depth > 0 => String::new(),
                    value => text(value, separator, culture, depth + 1),
                };
                parts.push(format!("{name}={inner}"));
            }
            if parts.is_empty() { String::new() } else { format!("@{{{}}}", parts.join("; ")) }
        }
    }
}

/// The text of a number of a rarer type.
pub fn number_text(number: Number) -> String {
    match number {
        Number::SByte(n) => n.to_string(),
        Number::Byte(n) => n.to_string(),
        Number::Int16(n) => n.to_string(),
        Number::UInt16(n) => n.to_string(),
        Number::UInt32(n) => n.to_string(),
        Number::UInt64(n) => n.to_string(),
        Number::Single(n) => general(f64::from(n), 7),
        Number::Decimal(n) => n.to_string(),
    }
}

/// `G15` and its like: as Windows PowerShell prints doubles.
pub fn general(value: f64, precision: usize) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let precision = precision.clamp(1, 17);
    let scientific = format!("{:.*e}", precision - 1, value);
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let negative = mantissa.starts_with('-');
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let body = if exponent > -5 && exponent < i32::try_from(precision).unwrap_or(15) {
        if exponent < 0 {
            format!("0.{}{digits}", "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0)))
        } else {
            let whole = usize::try_from(exponent + 1).unwrap_or(1);
            if digits.len() <= whole {
                format!("{digits}{}", "0".repeat(whole - digits.len()))
            } else {
                format!("{}.{}", &digits[..whole], &digits[whole..])
            }
        }
    } else {
        let (head, tail) = digits.split_at(1);
        let point = if tail.is_empty() { "" } else { "." };
        format!("{head}{point}{tail}E{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
    };
    if negative { format!("-{body}") } else { body }
}

/// `6f9619ff-8b86-d011-b42d-00c04fc964ff`.
pub fn guid_text(guid: u128) -> String {
    let hex = format!("{guid:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Reads a GUID in any of .NET's textual forms except `X`.
pub fn parse_guid(text: &str) -> Option<u128> {
    let text = text.trim();
    let inner = match (text.chars().next()?, text.chars().last()?) {
        ('{', '}') | ('(', ')') => &text[1..text.len() - 1],
        _ => text,
    };
    let dashes: Vec<usize> = inner.match_indices('-').map(|(at, _)| at).collect();
    if !(dashes.is_empty() || dashes == [8, 13, 18, 23]) {
        return None;
    }
    let hex = inner.replace('-', "");
    if hex.len() != 32 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&hex, 16).ok()
}

/// `1.2.3.4`, as many parts as the version has.
pub fn version_text(parts: &[i32; 4]) -> String {
    parts.iter().take_while(|p| **p >= 0).map(ToString::to_string).collect::<Vec<_>>().join(".")
}

/// Reads `1.2`, `1.2.3` or `1.2.3.4`.
pub fn parse_version(text: &str) -> Option<[i32; 4]> {
    let mut parts = [-1; 4];
    let fields: Vec<&str> = text.trim().split('.').collect();
    if !(2..=4).contains(&fields.len()) {
        return None;
    }
    for (slot, field) in parts.iter_mut().zip(fields) {
        *slot = field.trim().parse().ok().filter(|n| *n >= 0)?;
    }
    Some(parts)
}
