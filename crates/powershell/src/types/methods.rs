//! Methods of values.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{method_not_found, method_threw, no_overload, type_name};
use crate::convert::datetime::{self, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE, TICKS_PER_SECOND};
use crate::convert::{self, cast_resolved, compare_order, display, equals, format_value, order_text, shared_text, text, to_bool};
use crate::error::{ErrorRecord, Flow};
use crate::pipeline::{BlockCall, BlockScope, Context, VariableScope};
use crate::value::{DateTime, List, ListKind, PsObject, ScriptMember, TimeSpan, Value};

const RANGE: &str = "System.ArgumentOutOfRangeException";

/// What a method without result returns.
type Outcome = Result<Option<Value>, Flow>;

fn some(value: impl Into<Value>) -> Outcome {
    Ok(Some(value.into()))
}

fn len(n: usize) -> Value {
    Value::Int(i32::try_from(n).unwrap_or(i32::MAX))
}

/// `value.name(arguments)`. `cx` serves script blocks as arguments and the clock; `None` output is `void`.
pub fn call_method(value: &Value, name: &str, arguments: &[Value], cx: &mut dyn Context) -> Outcome {
    if value.is_null() {
        return Err(ErrorRecord::runtime(
            "You cannot call a method on a null-valued expression.",
            "InvokeMethodOnNull",
            "InvalidOperation",
        )
        .into());
    }
    let lower = name.to_ascii_lowercase();
    if let Value::Object(object) = value
        && let Some(ScriptMember::Method(block)) = object.script_member(name)
    {
        let saved = cx.variable("this").unwrap_or(Value::Null);
        cx.set_variable("this", value.clone(), VariableScope::Local)?;
        let mut results = Vec::new();
        let call = BlockCall { block: &block, underscore: None, arguments: arguments.to_vec(), scope: BlockScope::Child };
        let outcome = cx.call_block(call, &mut |v| {
            results.push(v);
            Ok(())
        });
        cx.set_variable("this", saved, VariableScope::Local)?;
        outcome?;
        return Ok(match results.len() {
            0 => None,
            1 => results.pop(),
            _ => Some(Value::array(results)),
        });
    }
    let found = match value {
        Value::Str(text) => string_method(text, &lower, name, arguments)?,
        Value::Array(_) | Value::List(_) => return collection_method(value, &lower, name, arguments, cx),
        Value::Hash(_) => hash_method(value, &lower, name, arguments)?,
        Value::DateTime(instant) => date_method(*instant, &lower, name, arguments)?,
        Value::TimeSpan(span) => span_method(*span, &lower, name, arguments)?,
        Value::Object(object) if lower == "getnetworkcredential" && object.is_type("System.Management.Automation.PSCredential") => {
            let user = object.get("UserName").map_or_else(|| "".into(), |u| shared_text(&u));
            let (domain, login) = user.split_once('\\').unwrap_or(("", &user));
            let password = object.get("Password").and_then(|p| crate::builtins::secret_of(&p)).unwrap_or_else(|| "".into());
            let made = PsObject::new("System.Net.NetworkCredential").with("UserName", login).with("Password", password);
            Some(Some(made.with("Domain", domain).with_text("System.Net.NetworkCredential").into()))
        }
        Value::Object(object) => object_method(object, &lower, name, arguments, cx)?,
        Value::Script(block) => match lower.as_str() {
            "invoke" | "invokereturnasis" => {
                let mut results = Vec::new();
                let call = BlockCall { block, underscore: None, arguments: arguments.to_vec(), scope: BlockScope::Child };
                cx.call_block(call, &mut |v| {
                    results.push(v);
                    Ok(())
                })?;
                return Ok(Some(Value::array(results)));
            }
            _ => None,
        },
        Value::Type(full) => match lower.as_str() {
            "getelementtype" => Some(Some(full.strip_suffix("[]").map_or(Value::Null, |e| Value::Type(e.into())))),
            "getenumnames" => super::enum_members(full).map(|m| Some(Value::array(m.iter().map(|(n, _)| Value::str(n.clone())).collect()))),
            _ => None,
        },
        Value::Version(parts) => match (lower.as_str(), arguments) {
            ("tostring", [n]) => {
                let n = usize::try_from(int(n)?).unwrap_or(0).min(4);
                Some(Some(Value::str(parts[..n].iter().map(|p| p.max(&0).to_string()).collect::<Vec<_>>().join("."))))
            }
            _ => None,
        },
        Value::Guid(guid) if lower == "tobytearray" => Some(Some(super::access::bytes(&guid.to_be_bytes()))),
        _ => None,
    };
    match found {
        Some(outcome) => Ok(outcome),
        None => common_method(value, &lower, name, arguments),
    }
}

/// Methods that everything has.
fn common_method(value: &Value, lower: &str, name: &str, arguments: &[Value]) -> Outcome {
    match (lower, arguments) {
        ("tostring", []) => some(display(value)),
        ("tostring", [format, ..]) => some(format_value(value, &shared_text(format)).map_err(|e| bad_format(&e, arguments.len()))?),
        ("gettype", []) => some_type(value),
        ("equals", [other]) => some(type_name(value) == type_name(other) && equals(value, other, true)),
        ("compareto", [other]) => some(match compare_order(value, other, true).map_err(Flow::from)? {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }),
        ("gethashcode", []) => {
            let mut hash = 5381i32;
            for byte in display(value).bytes() {
                hash = hash.wrapping_mul(33).wrapping_add(i32::from(byte));
            }
            some(hash)
        }
        ("hasflag", [other]) => match value {
            Value::Enum(member) => {
                let bits = match cast_resolved(other, &member.type_name)? {
                    Value::Enum(other) => other.number,
                    _ => 0,
                };
                some(member.number & bits == bits)
            }
            _ => Err(method_not_found(&type_name(value), name).into()),
        },
        ("gettype" | "equals" | "compareto" | "gethashcode", _) => Err(no_overload(name, arguments.len()).into()),
        _ => Err(method_not_found(&type_name(value), name).into()),
    }
}

fn some_type(value: &Value) -> Outcome {
    Ok(Some(Value::Type(type_name(value))))
}

fn bad_format(error: &ErrorRecord, count: usize) -> Flow {
    let reason = error.message.trim_start_matches("Error formatting a string: ").trim_end_matches("..").to_string();
    let reason = if reason.ends_with('.') { reason } else { format!("{reason}.") };
    method_threw("ToString", count, &reason, "System.FormatException").into()
}

fn int(value: &Value) -> Result<i64, Flow> {
    match cast_resolved(value, "System.Int64")? {
        Value::Long(n) => Ok(n),
        _ => Ok(0),
    }
}

/// A whole-number argument; the error names the parameter of the method.
fn int_argument(parameter: &str, method: &str, value: &Value) -> Result<i64, Flow> {
    match cast_resolved(value, "System.Int32") {
        Ok(Value::Int(n)) => Ok(i64::from(n)),
        Ok(_) => Ok(0),
        Err(error) => Err(ErrorRecord {
            decorated: true,
            ..ErrorRecord::new(
                format!(
                    "Cannot convert argument \"{parameter}\", with value: \"{}\", for \"{method}\" to type \"System.Int32\": \"{}\"",
                    shared_text(value),
                    error.message
                ),
                "MethodArgumentConversionInvalidCastArgument",
                "NotSpecified",
                "System.Management.Automation.MethodException",
            )
        }
        .into()),
    }
}

fn number(value: &Value) -> Result<f64, Flow> {
    match cast_resolved(value, "System.Double")? {
        Value::Double(n) => Ok(n),
        _ => Ok(0.0),
    }
}

fn is_ordinal_ignore_case(value: &Value) -> bool {
    shared_text(value).to_ascii_lowercase().contains("ignorecase") || matches!(value, Value::Bool(true))
}

/// The characters that `Trim` and `Split` take.
fn chars_of(values: &[Value]) -> Vec<char> {
    values
        .iter()
        .flat_map(|v| match v.items() {
            Some(items) => items.iter().flat_map(|i| shared_text(i).chars().collect::<Vec<_>>()).collect::<Vec<_>>(),
            None => shared_text(v).chars().collect(),
        })
        .collect()
}

/// Runs a string method on UTF-16 positions when the text is not ASCII.
struct Text<'a> {
    text: &'a str,
    units: Option<Vec<u16>>,
}

impl<'a> Text<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, units: (!text.is_ascii()).then(|| text.encode_utf16().collect()) }
    }

    fn len(&self) -> usize {
        self.units.as_ref().map_or(self.text.len(), Vec::len)
    }

    fn slice(&self, from: usize, to: usize) -> String {
        match &self.units {
            Some(units) => String::from_utf16_lossy(&units[from..to]),
            None => self.text[from..to].to_string(),
        }
    }

    /// A byte offset as a position.
    fn position(&self, byte: usize) -> usize {
        if self.units.is_some() { self.text[..byte].encode_utf16().count() } else { byte }
    }
}

fn string_method(text: &Arc<str>, lower: &str, name: &str, arguments: &[Value]) -> Result<Option<Option<Value>>, Flow> {
    let count = arguments.len();
    let t = Text::new(text);
    let arg = |at: usize| shared_text(&arguments[at]);
    let threw = |reason: &str| Flow::from(method_threw(name, count, reason, RANGE));
    let value = match (lower, count) {
        ("toupper" | "toupperinvariant", 0) => Value::str(text.to_uppercase()),
        ("tolower" | "tolowerinvariant", 0) => Value::str(text.to_lowercase()),
        ("trim", 0) => Value::str(text.trim()),
        ("trimstart", 0) => Value::str(text.trim_start()),
        ("trimend", 0) => Value::str(text.trim_end()),
        ("trim" | "trimstart" | "trimend", _) => {
            let set = chars_of(arguments);
            let matches = |c: char| set.contains(&c);
            Value::str(match lower {
                "trim" => text.trim_matches(matches),
                "trimstart" => text.trim_start_matches(matches),
                _ => text.trim_end_matches(matches),
            })
        }
        ("substring", 1 | 2) => {
            let start = int_argument("startIndex", name, &arguments[0])?;
            let length =
                if count == 2 { int_argument("length", name, &arguments[1])? } else { i64::try_from(t.len()).unwrap_or(0) - start };
            if start < 0 {
                return Err(threw("StartIndex cannot be less than zero.\r\nParameter name: startIndex"));
            }
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            if start > t.len() {
                return Err(threw("startIndex cannot be larger than length of string.\r\nParameter name: startIndex"));
            }
            let Ok(length) = usize::try_from(length) else {
                return Err(threw("Length cannot be less than zero.\r\nParameter name: length"));
            };
            if start + length > t.len() {
                return Err(threw("Index and length must refer to a location within the string.\r\nParameter name: length"));
            }
            Value::str(t.slice(start, start + length))
        }
        ("remove", 1 | 2) => {
            let start = usize::try_from(int(&arguments[0])?).unwrap_or(usize::MAX);
            let length =
                if count == 2 { usize::try_from(int(&arguments[1])?).unwrap_or(usize::MAX) } else { t.len().saturating_sub(start) };
            if start > t.len() || start.saturating_add(length) > t.len() || (count == 1 && start == t.len()) {
                return Err(threw(if count == 1 {
                    "startIndex must be less than length of string.\r\nParameter name: startIndex"
                } else {
                    "Index and count must refer to a location within the string.\r\nParameter name: count"
                }));
            }
            Value::str(t.slice(0, start) + &t.slice(start + length, t.len()))
        }
        ("insert", 2) => {
            let at = usize::try_from(int(&arguments[0])?).unwrap_or(usize::MAX);
            if at > t.len() {
                return Err(threw("Specified argument was out of the range of valid values.\r\nParameter name: startIndex"));
            }
            Value::str(t.slice(0, at) + &arg(1) + &t.slice(at, t.len()))
        }
        ("split", _) if count > 0 => {
            let (mut limit, mut remove_empty) = (usize::MAX, false);
            let mut separators = arguments;
            if count > 1 {
                for option in &arguments[1..] {
                    match option {
                        Value::Int(n) => limit = usize::try_from(*n).unwrap_or(0),
                        Value::Enum(member) => remove_empty = member.number == 1,
                        Value::Str(s) if s.eq_ignore_ascii_case("RemoveEmptyEntries") => remove_empty = true,
                        Value::Str(s) if s.eq_ignore_ascii_case("None") => {}
                        _ => continue,
                    }
                    separators = &arguments[..1];
                }
            }
            // A string becomes its characters, an array of strings of several characters stays whole.
            let whole: Vec<Arc<str>> = match separators {
                [one] => match one.items() {
                    Some(items) if items.iter().any(|i| matches!(i, Value::Str(s) if s.chars().count() > 1)) => {
                        items.iter().map(shared_text).collect()
                    }
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            };
            let parts: Vec<String> = if whole.is_empty() {
                let set = chars_of(separators);
                let blank = set.is_empty();
                text.splitn(limit, |c: char| set.contains(&c) || (blank && c.is_whitespace())).map(str::to_string).collect()
            } else {
                split_any(text, &whole, limit)
            };
            Value::typed_array("System.String", parts.into_iter().filter(|p| !remove_empty || !p.is_empty()).map(Value::str).collect())
        }
        ("contains", 1) => Value::Bool(text.contains(&*arg(0))),
        ("contains", 2) if is_ordinal_ignore_case(&arguments[1]) => Value::Bool(text.to_lowercase().contains(&arg(0).to_lowercase())),
        ("startswith", 1) => Value::Bool(text.starts_with(&*arg(0))),
        ("endswith", 1) => Value::Bool(text.ends_with(&*arg(0))),
        ("startswith", 2 | 3) => {
            let fold = is_ordinal_ignore_case(&arguments[1]);
            Value::Bool(if fold { text.to_lowercase().starts_with(&arg(0).to_lowercase()) } else { text.starts_with(&*arg(0)) })
        }
        ("endswith", 2 | 3) => {
            let fold = is_ordinal_ignore_case(&arguments[1]);
            Value::Bool(if fold { text.to_lowercase().ends_with(&arg(0).to_lowercase()) } else { text.ends_with(&*arg(0)) })
        }
        ("equals", 2) if is_ordinal_ignore_case(&arguments[1]) => Value::Bool(text.to_lowercase() == arg(0).to_lowercase()),
        ("equals", 2) => Value::Bool(**text == *arg(0)),
        ("indexof" | "lastindexof", 1..=3) => {
            let needle = arg(0);
            let fold =
                arguments.last().is_some_and(|a| matches!(a, Value::Enum(_) | Value::Str(_)) && count > 1 && is_ordinal_ignore_case(a));
            let from = match arguments.get(1) {
                Some(Value::Int(n)) if lower == "indexof" => usize::try_from(*n).unwrap_or(usize::MAX),
                _ => 0,
            };
            if from > t.len() {
                return Err(threw(
                    "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: startIndex",
                ));
            }
            let (hay, needle) = if fold { (text.to_lowercase(), needle.to_lowercase()) } else { (text.to_string(), needle.to_string()) };
            let start = hay.char_indices().map(|(b, _)| b).find(|b| t.position(*b) >= from).unwrap_or(hay.len());
            let at = if lower == "indexof" { hay[start..].find(&needle).map(|b| b + start) } else { hay.rfind(&needle) };
            at.map_or(Value::Int(-1), |b| len(t.position(b)))
        }
        ("indexofany", 1) => {
            let set = chars_of(&arguments[..1]);
            text.find(|c| set.contains(&c)).map_or(Value::Int(-1), |b| len(t.position(b)))
        }
        ("replace", 2) => {
            if arg(0).is_empty() {
                return Err(method_threw(
                    name,
                    count,
                    "String cannot be of zero length.\r\nParameter name: oldValue",
                    "System.ArgumentException",
                )
                .into());
            }
            Value::str(text.replace(&*arg(0), &arg(1)))
        }
        ("padleft" | "padright", 1 | 2) => {
            let width = usize::try_from(int(&arguments[0])?).unwrap_or(0).min(1 << 20);
            let fill = if count == 2 { arg(1).chars().next().unwrap_or(' ') } else { ' ' };
            let pad: String = std::iter::repeat_n(fill, width.saturating_sub(t.len())).collect();
            Value::str(if lower == "padleft" { pad + text } else { text.to_string() + &pad })
        }
        ("tochararray", 0) => Value::typed_array("System.Char", text.chars().map(Value::Char).collect()),
        ("getenumerator", 0) => Value::array(text.chars().map(Value::Char).collect()),
        ("compareto", 1) => Value::Int(match order_text(text, &arg(0), true) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }),
        ("equals", 1) => Value::Bool(matches!(&arguments[0], Value::Str(other) if other == text)),
        ("tostring" | "clone" | "normalize", 0 | 1) => Value::Str(text.clone()),
        ("chars" | "get_chars", 1) => super::index(&Value::Str(text.clone()), &arguments[..1])?,
        ("isnormalized", 0) => Value::Bool(true),
        (
            "substring" | "remove" | "insert" | "replace" | "padleft" | "padright" | "contains" | "startswith" | "endswith" | "indexof"
            | "lastindexof" | "toupper" | "tolower" | "tochararray",
            _,
        ) => return Err(no_overload(name, count).into()),
        _ => return Ok(None),
    };
    Ok(Some(Some(value)))
}

fn split_any(text: &str, separators: &[Arc<str>], limit: usize) -> Vec<String> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        let hit = separators.iter().find(|s| !s.is_empty() && text[at..].starts_with(&***s));
        match hit {
            Some(separator) if parts.len() + 1 < limit => {
                parts.push(text[start..at].to_string());
                at += separator.len();
                start = at;
            }
            _ => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    parts.push(text[start..].to_string());
    parts
}

fn fixed_size(name: &str, count: usize) -> Flow {
    method_threw(name, count, "Collection was of a fixed size.", "System.NotSupportedException").into()
}

fn collection_method(value: &Value, lower: &str, name: &str, arguments: &[Value], cx: &mut dyn Context) -> Outcome {
    let count = arguments.len();
    let list: Option<&Arc<List>> = match value {
        Value::List(list) if !matches!(list.kind, ListKind::TypedArray(_)) => Some(list),
        _ => None,
    };
    let items = value.items().unwrap_or_default();
    match (lower, count) {
        ("where" | "foreach", 1..) if matches!(arguments[0], Value::Script(_)) => {
            let Value::Script(block) = &arguments[0] else { return Ok(None) };
            let mut out = Vec::new();
            for item in items {
                let mut results = Vec::new();
                cx.call_block(BlockCall::each(block, item.clone()), &mut |v| {
                    results.push(v);
                    Ok(())
                })?;
                if lower == "foreach" {
                    out.extend(results);
                } else if to_bool(&Value::array(results)) {
                    out.push(item);
                }
            }
            return some(out);
        }
        ("contains", 1) => return some(items.iter().any(|i| type_name(i) == type_name(&arguments[0]) && equals(i, &arguments[0], true))),
        ("indexof", 1) => return some(position_of(&items, &arguments[0])),
        ("getvalue" | "item" | "get_item", 1) => return Ok(Some(super::index(value, &arguments[..1])?)),
        ("setvalue", 2) => {
            super::set_index(value, &arguments[1..2], arguments[0].clone())?;
            return Ok(None);
        }
        ("getenumerator" | "clone" | "toarray", 0) => return some(items),
        ("getlength" | "getupperbound", 1) => return some(len(items.len().saturating_sub(usize::from(lower == "getupperbound")))),
        ("tostring", 0) => return some(type_name(value)),
        ("gettype", 0) => return some_type(value),
        ("equals", 1) => return some(equals(value, &arguments[0], true)),
        _ => {}
    }
    if let Some(list) = list {
        let element = match &list.kind {
            ListKind::Generic(element) => Some(element.clone()),
            _ => None,
        };
        let convert = |v: &Value| element.as_ref().map_or_else(|| Ok(v.clone()), |e| cast_resolved(v, e));
        let mut held = list.items.write().map_err(|_| Flow::from(no_overload(name, count)))?;
        let index = |at: usize| -> Result<usize, Flow> { Ok(usize::try_from(int(&arguments[at])?).unwrap_or(usize::MAX)) };
        let out_of_range = || {
            let reason = "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: index";
            Flow::from(method_threw(name, count, reason, RANGE))
        };
        match (lower, count) {
            ("add", 1) => {
                held.push(convert(&arguments[0])?);
                let at = len(held.len() - 1);
                return Ok(if element.is_some() { None } else { Some(at) });
            }
            ("addrange", 1) => {
                for item in arguments[0].items().unwrap_or_else(|| vec![arguments[0].clone()]) {
                    held.push(convert(&item)?);
                }
                return Ok(None);
            }
            ("insert", 2) => {
                let at = index(0)?;
                if at > held.len() {
                    return Err(out_of_range());
                }
                held.insert(at, convert(&arguments[1])?);
                return Ok(None);
            }
            ("remove", 1) => {
                let at = held.iter().position(|i| equals(i, &arguments[0], true));
                if let Some(at) = at {
                    held.remove(at);
                }
                return Ok(element.is_some().then_some(Value::Bool(at.is_some())));
            }
            ("removeat", 1) => {
                let at = index(0)?;
                if at >= held.len() {
                    return Err(out_of_range());
                }
                held.remove(at);
                return Ok(None);
            }
            ("removerange", 2) => {
                let (at, n) = (index(0)?, index(1)?);
                if at.saturating_add(n) > held.len() {
                    return Err(out_of_range());
                }
                held.drain(at..at + n);
                return Ok(None);
            }
            ("clear", 0) => {
                held.clear();
                return Ok(None);
            }
            ("sort", 0) => {
                held.sort_by(|a, b| compare_order(a, b, false).unwrap_or(Ordering::Equal));
                return Ok(None);
            }
            ("reverse", 0) => {
                held.reverse();
                return Ok(None);
            }
            _ => {}
        }
    } else if matches!(lower, "add" | "remove" | "removeat" | "insert") {
        return Err(fixed_size(name, count));
    }
    // A method that the collection does not have is called on each element.
    if items.is_empty() || matches!(lower, "compareto") {
        return Err(method_not_found(&type_name(value), name).into());
    }
    let mut out = Vec::new();
    for item in &items {
        match call_method(item, name, arguments, cx) {
            Ok(result) => out.extend(result),
            Err(Flow::Error(failure)) if &*failure.record.id == "MethodNotFound" => {
                return Err(method_not_found(&type_name(item), name).into());
            }
            Err(other) => return Err(other),
        }
    }
    Ok(match out.len() {
        0 => None,
        1 => out.pop(),
        _ => Some(Value::array(out)),
    })
}

/// Index of a value in a collection, -1 when it is not there.
pub(super) fn position_of(items: &[Value], wanted: &Value) -> Value {
    items.iter().position(|i| type_name(i) == type_name(wanted) && equals(i, wanted, true)).map_or(Value::Int(-1), len)
}

fn hash_method(value: &Value, lower: &str, name: &str, arguments: &[Value]) -> Result<Option<Option<Value>>, Flow> {
    let Value::Hash(table) = value else { return Ok(None) };
    let Ok(mut table) = table.write() else { return Ok(None) };
    Ok(Some(match (lower, arguments) {
        ("add", [key, entry]) => {
            if table.get(key).is_some() {
                let key = shared_text(key);
                let reason = format!("Item has already been added. Key in dictionary: '{key}'  Key being added: '{key}'");
                return Err(method_threw(name, 2, &reason, "System.ArgumentException").into());
            }
            table.set(key.clone(), entry.clone());
            None
        }
        ("remove", [key]) => {
            table.remove(key);
            None
        }
        ("contains" | "containskey", [key]) => Some(Value::Bool(table.get(key).is_some())),
        ("containsvalue", [wanted]) => Some(Value::Bool(table.entries.values().any(|(_, v)| equals(v, wanted, true)))),
        ("clear", []) => {
            table.entries.clear();
            None
        }
        ("item" | "get_item", [key]) => Some(table.get(key).cloned().unwrap_or(Value::Null)),
        ("set_item", [key, entry]) => {
            table.set(key.clone(), entry.clone());
            None
        }
        ("clone", []) => Some(Value::Hash(Arc::new(std::sync::RwLock::new(table.clone())))),
        ("getenumerator", []) => Some(Value::array(table.entries.values().map(|(k, v)| dictionary_entry(k, v)).collect())),
        _ => return Ok(None),
    }))
}

/// One entry of a hashtable as an object, as `GetEnumerator()` gives it.
pub(crate) fn dictionary_entry(key: &Value, value: &Value) -> Value {
    let object = PsObject::new("System.Collections.DictionaryEntry");
    object.with("Name", key.clone()).with("Key", key.clone()).with("Value", value.clone()).into()
}

fn date_method(instant: DateTime, lower: &str, name: &str, arguments: &[Value]) -> Result<Option<Option<Value>>, Flow> {
    let unrepresentable = || {
        let reason = "The added or subtracted value results in an un-representable DateTime.\r\nParameter name: value";
        Flow::from(method_threw(name, 1, reason, RANGE))
    };
    let add = |unit: i64| -> Result<Value, Flow> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        // The .NET Framework rounds to whole milliseconds.
        let ticks = (number(&arguments[0])? * (unit / TICKS_PER_MILLISECOND) as f64).round() as i64 * TICKS_PER_MILLISECOND;
        Ok(Value::DateTime(instant.plus(ticks).ok_or_else(&unrepresentable)?))
    };
    let formatted = |pattern: &str| Value::str(datetime::format(instant, pattern).unwrap_or_default());
    Ok(Some(Some(match (lower, arguments.len()) {
        ("adddays", 1) => add(TICKS_PER_DAY)?,
        ("addhours", 1) => add(TICKS_PER_HOUR)?,
        ("addminutes", 1) => add(TICKS_PER_MINUTE)?,
        ("addseconds", 1) => add(TICKS_PER_SECOND)?,
        ("addmilliseconds", 1) => add(TICKS_PER_MILLISECOND)?,
        ("addticks", 1) => Value::DateTime(instant.plus(int(&arguments[0])?).ok_or_else(unrepresentable)?),
        ("addmonths", 1) => Value::DateTime(datetime::add_months(instant, int(&arguments[0])?).ok_or_else(unrepresentable)?),
        ("addyears", 1) => {
            Value::DateTime(datetime::add_months(instant, int(&arguments[0])?.saturating_mul(12)).ok_or_else(unrepresentable)?)
        }
        ("add", 1) => convert::arithmetic(convert::Arithmetic::Add, &Value::DateTime(instant), &arguments[0])?,
        ("subtract", 1) => convert::arithmetic(convert::Arithmetic::Sub, &Value::DateTime(instant), &arguments[0])?,
        ("touniversaltime", 0) => Value::DateTime(instant.with_kind(crate::value::DateTimeKind::Utc)),
        ("tolocaltime", 0) => Value::DateTime(instant.with_kind(crate::value::DateTimeKind::Local)),
        ("toshortdatestring", 0) => formatted("d"),
        ("tolongdatestring", 0) => formatted("D"),
        ("toshorttimestring", 0) => formatted("t"),
        ("tolongtimestring", 0) => formatted("T"),
        #[allow(clippy::cast_precision_loss)]
        ("tooadate", 0) => Value::Double((instant.ticks() - 599_264_352_000_000_000) as f64 / 864_000_000_000.0),
        ("tofiletime" | "tofiletimeutc", 0) => Value::Long(instant.ticks() - 504_911_232_000_000_000),
        ("isdaylightsavingtime", 0) => Value::Bool(false),
        _ => return Ok(None),
    })))
}

fn span_method(span: TimeSpan, lower: &str, _name: &str, arguments: &[Value]) -> Result<Option<Option<Value>>, Flow> {
    Ok(Some(Some(match (lower, arguments.len()) {
        ("add", 1) => convert::arithmetic(convert::Arithmetic::Add, &Value::TimeSpan(span), &arguments[0])?,
        ("subtract", 1) => convert::arithmetic(convert::Arithmetic::Sub, &Value::TimeSpan(span), &arguments[0])?,
        ("negate", 0) => Value::TimeSpan(TimeSpan { ticks: span.ticks.saturating_neg() }),
        ("duration", 0) => Value::TimeSpan(TimeSpan { ticks: span.ticks.saturating_abs() }),
        _ => return Ok(None),
    })))
}

/// First words of the type name of every CIM instance; `#` and its class follow.
pub(super) const CIM_INSTANCE: &str = "Microsoft.Management.Infrastructure.CimInstance";

/// `CimInstance.Clone()` and the copy constructor: embedded instances are copied too, so that the copy can be edited while
/// the original still describes what there is (`Set-DnsServerResourceRecord -OldInputObject … -NewInputObject …`).
pub(super) fn cim_copy(object: &PsObject) -> Value {
    let copy = PsObject { properties: Arc::default(), ..object.clone() };
    for name in object.names() {
        let value = match object.get(&name) {
            Some(Value::Object(inner)) if inner.type_names.first().is_some_and(|class| class.starts_with(CIM_INSTANCE)) => cim_copy(&inner),
            other => other.unwrap_or(Value::Null),
        };
        copy.set(&name, value);
    }
    copy.into()
}

fn object_method(
    object: &Arc<PsObject>,
    lower: &str,
    name: &str,
    arguments: &[Value],
    cx: &mut dyn Context,
) -> Result<Option<Option<Value>>, Flow> {
    let class = object.type_names.first().map_or("", |t| &**t);
    if lower == "clone" && arguments.is_empty() && class.starts_with(CIM_INSTANCE) {
        return Ok(Some(Some(cim_copy(object))));
    }
    match class {
        class if class.starts_with("System.Text.RegularExpressions.") => {
            let call = super::call::Call { class, name, lower, arguments };
            if let Some(answer) = super::regexes::method(object, &call, cx)? {
                return Ok(Some(answer));
            }
        }
        "System.Text.StringBuilder" => {
            let current = object.get("Text").map(|t| shared_text(&t)).unwrap_or_else(|| "".into());
            let next = match (lower, arguments) {
                ("append", [more, ..]) => format!("{current}{}", shared_text(more)),
                ("appendline", []) => format!("{current}\r\n"),
                ("appendline", [more]) => format!("{current}{}\r\n", shared_text(more)),
                ("appendformat", [format, rest @ ..]) => format!("{current}{}", convert::format_operator(&shared_text(format), rest)?),
                ("clear", []) => String::new(),
                ("tostring", []) => return Ok(Some(Some(Value::Str(current)))),
                _ => return Ok(None),
            };
            if next.len() > 64 << 20 {
                return Err(crate::error::LimitError::StringSize(64 << 20).into());
            }
            object.set("Length", len(next.encode_utf16().count()));
            object.set("Text", next);
            return Ok(Some(Some(Value::Object(object.clone()))));
        }
        "System.Diagnostics.Stopwatch" => {
            let now = cx.world().now();
            let started = match object.get("StartedAt") {
                Some(Value::DateTime(instant)) => instant,
                _ => now,
            };
            match lower {
                "start" | "restart" => {
                    object.set("StartedAt", now);
                    object.set("IsRunning", true);
                }
                "stop" => {
                    let elapsed = TimeSpan { ticks: now.ticks() - started.ticks() };
                    object.set("Elapsed", elapsed);
                    object.set("ElapsedMilliseconds", Value::Long(elapsed.ticks / TICKS_PER_MILLISECOND));
                    object.set("IsRunning", false);
                }
                _ => return Ok(None),
            }
            return Ok(Some(None));
        }
        _ => {}
    }
    Ok(match (lower, arguments) {
        ("tostring", []) => Some(Some(Value::str(text::display(&Value::Object(object.clone()))))),
        ("tostring", _) => Some(Some(Value::str(text::display(&Value::Object(object.clone()))))),
        ("isnotempty" | "getenumerator", []) => None,
        ("dispose" | "close", []) => Some(None),
        ("getaddressbytes", []) if class == "System.Net.IPAddress" => {
            let address = object.text.as_deref().unwrap_or_default().parse::<std::net::IpAddr>();
            address.ok().map(|a| {
                Some(match a {
                    std::net::IpAddr::V4(a) => super::access::bytes(&a.octets()),
                    std::net::IpAddr::V6(a) => super::access::bytes(&a.octets()),
                })
            })
        }
        _ => None,
    })
}
