//! `System.Text.RegularExpressions` on the linear-time engine of the `regex` crate. Look-around and back-references do
//! not exist there: such patterns are reported as not modelled instead of being taken for something else.

use regex::{Regex, RegexBuilder};

use crate::error::ErrorRecord;
use crate::value::{PsObject, Value};

/// Largest compiled program; hostile patterns hit it instead of memory.
const SIZE_LIMIT: usize = 8 << 20;

/// Compiles a .NET pattern.
pub fn compile(pattern: &str, ignore_case: bool) -> Result<Regex, ErrorRecord> {
    let translated = pattern.replace("\\Z", "\\z");
    RegexBuilder::new(&translated).case_insensitive(ignore_case).size_limit(SIZE_LIMIT).build().map_err(|error| {
        if beyond_engine(&error) {
            return not_modelled(pattern);
        }
        ErrorRecord {
            exception_types: crate::error::exception_chain("System.ArgumentException"),
            ..ErrorRecord::runtime(
                format!("The regular expression pattern {pattern} is not valid."),
                "InvalidRegularExpression",
                "InvalidOperation",
            )
        }
    })
}

/// First half of the id of errors about patterns that .NET takes and our engine does not.
pub(crate) const NOT_MODELLED: &str = "RegexNotModelled";

/// Whether a pattern is refused for something that only engines with backtracking can do.
pub(crate) fn beyond_engine(error: &regex::Error) -> bool {
    let text = error.to_string();
    text.contains("look-around") || text.contains("backreferences")
}

/// The error for such a pattern. The evaluator, which sees every error, also records it as not modelled: a script that
/// swallows it must not pass.
pub(crate) fn not_modelled(pattern: &str) -> ErrorRecord {
    let message =
        format!("The regular expression \"{pattern}\" is not modelled: look-around and back references are not part of the rehearsal.");
    ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(message, NOT_MODELLED, "NotImplemented", "System.Management.Automation.PSNotImplementedException")
    }
    .with_target(Value::str(pattern))
}

/// Translates `$1`, `${name}`, `$$`, `$&` of .NET replacements.
pub fn replacement(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        if chars[at] != '$' {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        match chars.get(at + 1) {
            Some('$') => {
                out.push_str("$$");
                at += 2;
            }
            Some('&') => {
                out.push_str("${0}");
                at += 2;
            }
            Some(c) if c.is_ascii_digit() => {
                let digits: String = chars[at + 1..].iter().take_while(|c| c.is_ascii_digit()).collect();
                out.push_str(&format!("${{{digits}}}"));
                at += 1 + digits.len();
            }
            Some('{') => match chars[at..].iter().position(|c| *c == '}') {
                Some(end) => {
                    out.extend(&chars[at..=at + end]);
                    at += end + 1;
                }
                None => {
                    out.push_str("$$");
                    at += 1;
                }
            },
            _ => {
                out.push_str("$$");
                at += 1;
            }
        }
    }
    out
}

/// A `[regex]` object.
pub fn object(pattern: &str, ignore_case: bool) -> Value {
    let options = if ignore_case { "IgnoreCase" } else { "None" };
    PsObject::new("System.Text.RegularExpressions.Regex").with("Options", options).with_text(pattern).into()
}

/// A `Match` object for one match.
pub fn match_object(captures: Option<&regex::Captures<'_>>, regex: &Regex, text: &str) -> Value {
    let utf16 = |at: usize| i32::try_from(text[..at].encode_utf16().count()).unwrap_or(i32::MAX);
    let group = |m: Option<regex::Match<'_>>, name: &str| -> Value {
        PsObject::new("System.Text.RegularExpressions.Group")
            .with("Success", m.is_some())
            .with("Name", name)
            .with("Index", m.map_or(0, |m| utf16(m.start())))
            .with("Length", m.map_or(0, |m| i32::try_from(m.as_str().encode_utf16().count()).unwrap_or(i32::MAX)))
            .with("Value", m.map_or("", |m| m.as_str()))
            .with_text(m.map_or("", |m| m.as_str()))
            .into()
    };
    let whole = captures.and_then(|c| c.get(0));
    let mut groups = crate::value::Hashtable { ordered: true, entries: indexmap::IndexMap::new() };
    for (at, name) in regex.capture_names().enumerate() {
        let label = name.map_or_else(|| at.to_string(), str::to_string);
        let value = group(captures.and_then(|c| c.get(at)), &label);
        let key = if name.is_some() { Value::str(label) } else { Value::Int(i32::try_from(at).unwrap_or(0)) };
        groups.set(key, value);
    }
    PsObject::new("System.Text.RegularExpressions.Match")
        .with("Groups", Value::Hash(std::sync::Arc::new(std::sync::RwLock::new(groups))))
        .with("Success", whole.is_some())
        .with("Name", "0")
        .with("Index", whole.map_or(0, |m| utf16(m.start())))
        .with("Length", whole.map_or(0, |m| i32::try_from(m.as_str().encode_utf16().count()).unwrap_or(i32::MAX)))
        .with("Value", whole.map_or("", |m| m.as_str()))
        .with_text(whole.map_or("", |m| m.as_str()))
        .into()
}
