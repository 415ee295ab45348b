//! `System.String` and `System.Char`.

use std::cmp::Ordering;
use std::sync::Arc;

use super::call::{ARGUMENT, Call, FORMAT, Found, RANGE, gives, len};
use crate::convert::{self, order_text, shared_text};
use crate::error::Flow;
use crate::limits;
use crate::value::{Number, Value};

const STRING: &str = "System.String";
const COMPARISON: &str = "System.StringComparison";

/// Text in UTF-16 units when it is not ASCII: positions of .NET count them.
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

    /// The byte offset of a position.
    fn byte(&self, position: usize) -> usize {
        if self.units.is_none() {
            return position.min(self.text.len());
        }
        let mut units = 0;
        for (byte, c) in self.text.char_indices() {
            if units >= position {
                return byte;
            }
            units += c.len_utf16();
        }
        self.text.len()
    }
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

/// Whether an argument says that case does not matter: a `StringComparison`, its name, or `$true`.
fn folds(value: &Value) -> bool {
    match value {
        Value::Bool(b) => *b,
        other => shared_text(other).to_ascii_lowercase().contains("ignorecase"),
    }
}

fn folded(text: &str, fold: bool) -> String {
    if fold { text.to_lowercase() } else { text.to_string() }
}

fn sign(order: Ordering) -> Value {
    Value::Int(match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    })
}

fn position(call: &Call<'_>, at: usize, parameter: &str) -> Result<usize, Flow> {
    Ok(usize::try_from(call.int(at, parameter)?).unwrap_or(usize::MAX))
}

/// One character in capitals; .NET leaves those alone that would become several.
fn upper(c: char) -> char {
    let mut made = c.to_uppercase();
    match (made.next(), made.next()) {
        (Some(upper), None) => upper,
        _ => c,
    }
}

/// Methods of strings.
pub(super) fn methods(text: &Arc<str>, call: &Call<'_>) -> Found {
    let count = call.count();
    let t = Text::new(text);
    let out_of_range = |reason: &str, parameter: &str| call.threw(&format!("{reason}\r\nParameter name: {parameter}"), RANGE);
    match (call.lower, count) {
        ("toupper" | "toupperinvariant", 0) => gives(text.chars().map(upper).collect::<String>()),
        ("tolower" | "tolowerinvariant", 0) => gives(text.to_lowercase()),
        ("trim", 0) => gives(text.trim()),
        ("trimstart", 0) => gives(text.trim_start()),
        ("trimend", 0) => gives(text.trim_end()),
        ("trim" | "trimstart" | "trimend", _) => {
            let set = chars_of(call.arguments);
            let matches = |c: char| if set.is_empty() { c.is_whitespace() } else { set.contains(&c) };
            gives(match call.lower {
                "trim" => text.trim_matches(matches),
                "trimstart" => text.trim_start_matches(matches),
                _ => text.trim_end_matches(matches),
            })
        }
        ("substring", 1 | 2) => {
            let start = call.int(0, "startIndex")?;
            let total = i64::try_from(t.len()).unwrap_or(i64::MAX);
            let length = if count == 2 { call.int(1, "length")? } else { total - start };
            if start < 0 {
                return Err(out_of_range("StartIndex cannot be less than zero.", "startIndex"));
            }
            if start > total {
                return Err(out_of_range("startIndex cannot be larger than length of string.", "startIndex"));
            }
            if length < 0 {
                return Err(out_of_range("Length cannot be less than zero.", "length"));
            }
            if start + length > total {
                return Err(out_of_range("Index and length must refer to a location within the string.", "length"));
            }
            let (start, end) = (usize::try_from(start).unwrap_or(0), usize::try_from(start + length).unwrap_or(0));
            gives(t.slice(start, end))
        }
        ("remove", 1 | 2) => {
            let start = call.int(0, "startIndex")?;
            if start < 0 {
                return Err(out_of_range("StartIndex cannot be less than zero.", "startIndex"));
            }
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            let length = if count == 2 { position(call, 1, "count")? } else { t.len().saturating_sub(start) };
            if count == 1 && start >= t.len() {
                return Err(out_of_range("startIndex must be less than length of string.", "startIndex"));
            }
            if start.saturating_add(length) > t.len() {
                return Err(out_of_range("Index and count must refer to a location within the string.", "count"));
            }
            gives(t.slice(0, start) + &t.slice(start + length, t.len()))
        }
        ("insert", 2) => {
            let at = position(call, 0, "startIndex")?;
            if at > t.len() {
                return Err(out_of_range("Specified argument was out of the range of valid values.", "startIndex"));
            }
            gives(t.slice(0, at) + &call.text(1) + &t.slice(at, t.len()))
        }
        ("split", _) => split(text, call),
        ("contains", 1) => gives(text.contains(&*call.text(0))),
        ("startswith", 1) => gives(text.starts_with(&*call.text(0))),
        ("endswith", 1) => gives(text.ends_with(&*call.text(0))),
        ("startswith" | "endswith", 2 | 3) => {
            if count == 2 {
                call.bits(1, "comparisonType", COMPARISON)?;
            }
            let fold = folds(call.value(1));
            let (hay, needle) = (folded(text, fold), folded(&call.text(0), fold));
            gives(if call.lower == "startswith" { hay.starts_with(&needle) } else { hay.ends_with(&needle) })
        }
        ("equals", 1) => gives(matches!(call.value(0), Value::Str(other) if other == text)),
        ("equals", 2) => gives(folded(text, folds(call.value(1))) == folded(&call.text(0), folds(call.value(1)))),
        ("indexof" | "lastindexof", 1..=4) => index_of(&t, call),
        ("indexofany" | "lastindexofany", 1 | 2) => {
            let set = chars_of(&call.arguments[..1]);
            let within = |c: char| set.contains(&c);
            let found = if call.lower == "indexofany" {
                let from = if count > 1 { t.byte(position(call, 1, "startIndex")?) } else { 0 };
                text[from..].find(within).map(|at| at + from)
            } else {
                text.rfind(within)
            };
            gives(found.map_or(Value::Int(-1), |byte| len(t.position(byte))))
        }
        ("replace", 2) => {
            if call.text(0).is_empty() {
                return Err(call.threw("String cannot be of zero length.\r\nParameter name: oldValue", ARGUMENT));
            }
            let (old, new) = (call.text(0), call.text(1));
            if new.len() > old.len() {
                let more = text.matches(&*old).count().saturating_mul(new.len() - old.len());
                limits::text(text.len().saturating_add(more))?;
            }
            gives(text.replace(&*old, &new))
        }
        ("padleft" | "padright", 1 | 2) => {
            let width = call.int(0, "totalWidth")?;
            if width < 0 {
                return Err(out_of_range("Non-negative number required.", "totalWidth"));
            }
            let width = usize::try_from(width).unwrap_or(0);
            limits::text(width)?;
            let fill = if count == 2 { call.text(1).chars().next().unwrap_or(' ') } else { ' ' };
            let pad: String = std::iter::repeat_n(fill, width.saturating_sub(t.len())).collect();
            gives(if call.lower == "padleft" { pad + text } else { text.to_string() + &pad })
        }
        ("tochararray", 0) => gives(Value::typed_array("System.Char", text.chars().map(Value::Char).collect())),
        ("tochararray", 2) => {
            let (start, length) = (position(call, 0, "startIndex")?, position(call, 1, "length")?);
            if start.saturating_add(length) > t.len() {
                return Err(out_of_range(
                    "Index was out of range. Must be non-negative and less than the size of the collection.",
                    "startIndex",
                ));
            }
            gives(Value::typed_array("System.Char", t.slice(start, start + length).chars().map(Value::Char).collect()))
        }
        ("getenumerator", 0) => gives(text.chars().map(Value::Char).collect::<Vec<_>>()),
        ("compareto", 1) => gives(sign(order_text(text, &call.text(0), true))),
        ("tostring" | "clone" | "normalize", 0) | ("tostring" | "normalize", 1) => gives(text.clone()),
        ("chars" | "get_chars", 1) => match super::index(&Value::Str(text.clone()), &call.arguments[..1])? {
            Value::Null => Err(call.threw("Index was outside the bounds of the array.", "System.IndexOutOfRangeException")),
            found => gives(found),
        },
        ("isnormalized", 0) => gives(true),
        (
            "substring" | "remove" | "insert" | "replace" | "padleft" | "padright" | "contains" | "startswith" | "endswith" | "indexof"
            | "lastindexof" | "toupper" | "tolower" | "tochararray" | "indexofany" | "equals" | "compareto",
            _,
        ) => Err(call.overload()),
        _ => Ok(None),
    }
}

/// `IndexOf` and `LastIndexOf` with start, count and comparison.
fn index_of(t: &Text<'_>, call: &Call<'_>) -> Found {
    const START: &str =
        "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: startIndex";
    let mut rest = &call.arguments[1..];
    let fold = match rest.last() {
        Some(last @ (Value::Enum(_) | Value::Str(_))) => {
            rest = &rest[..rest.len() - 1];
            folds(last)
        }
        _ => false,
    };
    let number = |at: usize| -> Result<Option<usize>, Flow> {
        if rest.len() <= at {
            return Ok(None);
        }
        Ok(Some(position(call, at + 1, if at == 0 { "startIndex" } else { "count" })?))
    };
    let (start, length) = (number(0)?, number(1)?);
    if start.is_some_and(|start| start > t.len()) {
        return Err(call.threw(START, RANGE));
    }
    // Folding may change lengths; positions are only comparable where it does not.
    let hay = folded(t.text, fold);
    let hay = if hay.len() == t.text.len() { hay } else { t.text.to_string() };
    let needle = folded(&call.text(0), fold);
    let found = if call.lower == "indexof" {
        let from = t.byte(start.unwrap_or(0));
        let to = length.map_or(hay.len(), |n| t.byte(start.unwrap_or(0).saturating_add(n)));
        hay.get(from..to).and_then(|part| part.find(&needle)).map(|at| at + from)
    } else {
        // The search begins at the start and goes back; a match must end there.
        let to = start.map_or(hay.len(), |n| t.byte(n.saturating_add(1)));
        let from = length.map_or(0, |n| t.byte(start.unwrap_or(t.len()).saturating_add(1).saturating_sub(n)));
        hay.get(from..to).and_then(|part| part.rfind(&needle)).map(|at| at + from)
    };
    gives(found.map_or(Value::Int(-1), |byte| len(t.position(byte))))
}

/// `Split` as the .NET Framework has it: text stands for its characters, arrays of longer strings stay whole.
fn split(text: &str, call: &Call<'_>) -> Found {
    let (mut limit, mut remove_empty) = (usize::MAX, false);
    let mut separators = call.arguments;
    if call.count() > 1 {
        for (at, option) in call.arguments.iter().enumerate().skip(1) {
            match option {
                Value::Int(_) | Value::Long(_) => {
                    limit = usize::try_from(call.int(at, "count")?)
                        .map_err(|_| call.threw("Count cannot be less than zero.\r\nParameter name: count", RANGE))?;
                }
                Value::Enum(member) => remove_empty = member.number == 1,
                Value::Str(s) if s.eq_ignore_ascii_case("RemoveEmptyEntries") => remove_empty = true,
                Value::Str(s) if s.eq_ignore_ascii_case("None") => {}
                _ => continue,
            }
            separators = &call.arguments[..1];
        }
    }
    if limit == 0 {
        return gives(Value::typed_array(STRING, Vec::new()));
    }
    let whole: Vec<Arc<str>> = match separators {
        [one] => match one.items() {
            Some(items) if items.iter().any(|i| matches!(i, Value::Str(s) if s.chars().count() > 1)) => {
                items.iter().map(shared_text).collect()
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let set = if whole.is_empty() { chars_of(separators) } else { Vec::new() };
    let hit = |rest: &str| -> Option<usize> {
        if !whole.is_empty() {
            return whole.iter().find(|s| !s.is_empty() && rest.starts_with(&***s)).map(|s| s.len());
        }
        rest.chars().next().filter(|c| if set.is_empty() { c.is_whitespace() } else { set.contains(c) }).map(char::len_utf8)
    };
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while at < text.len() && parts.len() + 1 < limit {
        match hit(&text[at..]) {
            Some(length) => {
                if !(remove_empty && at == start) {
                    parts.push(Value::str(&text[start..at]));
                }
                at += length;
                start = at;
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    // With empty parts removed, the last part begins behind the separators before it.
    if remove_empty {
        while let Some(length) = text.get(start..).filter(|rest| !rest.is_empty()).and_then(hit) {
            start += length;
        }
    }
    if !(remove_empty && start == text.len()) {
        parts.push(Value::str(&text[start..]));
    }
    gives(Value::typed_array(STRING, parts))
}

/// Static members of `[string]`.
pub(super) fn statics(call: &Call<'_>) -> Found {
    let count = call.count();
    match (call.lower, count) {
        ("isnullorempty", 1) => gives(call.text(0).is_empty()),
        ("isnullorwhitespace", 1) => gives(call.text(0).trim().is_empty()),
        ("join", 4) if call.value(1).items().is_some() && matches!(call.value(2), Value::Int(_)) => {
            let items = call.items(1);
            let (start, length) = (position(call, 2, "startIndex")?, position(call, 3, "count")?);
            let Some(part) = items.get(start..start.saturating_add(length)) else {
                let reason = "Index and count must refer to a location within the buffer.\r\nParameter name: startIndex";
                return Err(call.threw(reason, RANGE));
            };
            gives(limits::joined(part.iter().map(shared_text), &call.text(0)))
        }
        ("join", 1..) => {
            let parts: Vec<Arc<str>> = match &call.arguments[1..] {
                [one] => one.items().unwrap_or_else(|| vec![one.clone()]).iter().map(shared_text).collect(),
                many => many.iter().map(shared_text).collect(),
            };
            gives(limits::joined(parts, &call.text(0)))
        }
        ("format", 1..) => {
            let rest: Vec<Value> = match &call.arguments[1..] {
                [one] => one.items().unwrap_or_else(|| vec![one.clone()]),
                many => many.to_vec(),
            };
            gives(convert::format_operator(&call.text(0), &rest).map_err(|e| {
                let reason = e.message.trim_start_matches("Error formatting a string: ").replace("..", ".");
                call.threw(&reason, FORMAT)
            })?)
        }
        ("concat", _) => {
            let all = call.arguments.iter().flat_map(|a| a.items().unwrap_or_else(|| vec![a.clone()]));
            gives(limits::joined(all.map(|a| shared_text(&a)), ""))
        }
        ("compare", 2 | 3) => gives(sign(order_text(&call.text(0), &call.text(1), !(count == 3 && folds(call.value(2)))))),
        ("compareordinal", 2) => {
            let (a, b) = (call.text(0), call.text(1));
            let differing = a.encode_utf16().zip(b.encode_utf16()).find(|(x, y)| x != y).map(|(x, y)| i32::from(x) - i32::from(y));
            let lengths = || i32::try_from(a.encode_utf16().count()).unwrap_or(0) - i32::try_from(b.encode_utf16().count()).unwrap_or(0);
            gives(differing.unwrap_or_else(lengths))
        }
        ("equals", 2) => gives(call.text(0) == call.text(1)),
        ("equals", 3) => {
            let fold = folds(call.value(2));
            gives(folded(&call.text(0), fold) == folded(&call.text(1), fold))
        }
        ("copy" | "intern" | "isinterned", 1) => gives(call.text(0)),
        ("isnullorempty" | "isnullorwhitespace" | "compare" | "format" | "join" | "equals", _) => Err(call.overload()),
        _ => Ok(None),
    }
}

/// `[string]::new(…)`, `New-Object string`.
pub(super) fn construct(call: &Call<'_>) -> Result<Option<Value>, Flow> {
    Ok(Some(Value::str(match call.count() {
        1 => limits::joined(call.items(0).iter().map(shared_text), ""),
        2 => {
            let times = call.int(1, "count")?;
            let times = usize::try_from(times).map_err(|_| call.threw("'count' must be non-negative.\r\nParameter name: count", RANGE))?;
            limits::text(times)?;
            call.text(0).chars().next().unwrap_or('\0').to_string().repeat(times)
        }
        3 => {
            let (start, length) = (position(call, 1, "startIndex")?, position(call, 2, "length")?);
            let items = call.items(0);
            let part = items.get(start..start.saturating_add(length));
            let reason =
                "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: startIndex";
            part.ok_or_else(|| call.threw(reason, RANGE))?.iter().map(|c| shared_text(c).to_string()).collect()
        }
        _ => return Ok(None),
    })))
}

/// Static members of `[char]`.
pub(super) fn char_statics(call: &Call<'_>) -> Found {
    let subject = call.text(0);
    let at = if call.count() == 2 && !matches!(call.lower, "converttoutf32") { position(call, 1, "index")? } else { 0 };
    let c = match call.value(0) {
        Value::Int(n) => u32::try_from(*n).ok().and_then(char::from_u32).unwrap_or('\0'),
        _ => subject.chars().nth(at).unwrap_or('\0'),
    };
    let symbol =
        |c: char| matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~' | '¢'..='©' | '¬' | '®'..='±' | '´' | '¸' | '×' | '÷');
    match call.lower {
        "isdigit" => gives(c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric() && c.to_string().parse::<f64>().is_ok())),
        "isnumber" => gives(c.is_numeric()),
        "isletter" => gives(c.is_alphabetic()),
        "isletterordigit" => gives(c.is_alphanumeric()),
        "iswhitespace" => gives(c.is_whitespace()),
        "isupper" => gives(c.is_uppercase()),
        "islower" => gives(c.is_lowercase()),
        "iscontrol" => gives(c.is_control()),
        "ispunctuation" => gives(c.is_ascii_punctuation() && !symbol(c)),
        "issymbol" => gives(symbol(c)),
        "isseparator" => gives(matches!(c, ' ' | '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{2028}' | '\u{2029}' | '\u{3000}')),
        "issurrogate" => gives(false),
        "toupper" | "toupperinvariant" => gives(c.to_uppercase().next().unwrap_or(c)),
        "tolower" | "tolowerinvariant" => gives(c.to_lowercase().next().unwrap_or(c)),
        "tostring" => gives(c.to_string()),
        "getnumericvalue" => gives(c.to_digit(10).map_or(-1.0, f64::from)),
        "convertfromutf32" => match u32::try_from(call.int(0, "utf32")?).ok().and_then(char::from_u32) {
            Some(c) => gives(c.to_string()),
            None => Err(call.threw("A valid UTF32 value is between 0x000000 and 0x10ffff, inclusive, and should not include surrogate codepoint values (0x00d800 ~ 0x00dfff).\r\nParameter name: utf32", RANGE)),
        },
        "converttoutf32" => gives(i32::try_from(c as u32).unwrap_or(0)),
        "parse" => match subject.chars().count() {
            1 => gives(c),
            _ => Err(call.threw("String must be exactly one character long.", FORMAT)),
        },
        _ => Ok(None),
    }
}

/// Constants of `[string]` and `[char]`.
pub(super) fn constant(full: &str, lower: &str) -> Option<Value> {
    Some(match (full, lower) {
        (STRING, "empty") => Value::str(""),
        ("System.Char", "maxvalue") => Value::Char('\u{FFFF}'),
        ("System.Char", "minvalue") => Value::Char('\0'),
        _ => return None,
    })
}

/// Bytes as `Byte[]`.
pub(super) fn bytes(content: &[u8]) -> Value {
    Value::typed_array("System.Byte", content.iter().map(|b| Value::Number(Number::Byte(*b))).collect())
}
