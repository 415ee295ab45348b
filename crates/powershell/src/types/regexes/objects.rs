//! `[regex]`, `Match`, `Group`, `Capture` and their collections.

use std::sync::Arc;

use super::{Flags, Found, Pattern, Replacement, compile_for};
use crate::convert::shared_text;
use crate::error::Flow;
use crate::pipeline::{BlockCall, BlockScope, Context};
use crate::types::call::{ARGUMENT, Call, Found as Answer, gives, len};
use crate::value::{EnumValue, List, ListKind, PropertySource, PsObject, Value};

const OPTIONS: &str = "System.Text.RegularExpressions.RegexOptions";
const NAMESPACE: &str = "System.Text.RegularExpressions";

/// `[regex]::Escape`.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' | '*' | '+' | '?' | '|' | '{' | '[' | '(' | ')' | '^' | '$' | '.' | '#' | ' ' => out.extend(['\\', c]),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            '\u{C}' => out.push_str("\\f"),
            c => out.push(c),
        }
    }
    out
}

/// `[regex]::Unescape`; `None` when a backslash has nothing to stand for.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            't' => '\t',
            'r' => '\r',
            'n' => '\n',
            'f' => '\u{C}',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'e' => '\u{1B}',
            'v' => '\u{B}',
            'x' => hexadecimal(&mut chars, 2)?,
            'u' => hexadecimal(&mut chars, 4)?,
            c if c.is_alphanumeric() => return None,
            c => c,
        });
    }
    Some(out)
}

fn hexadecimal(chars: &mut std::str::Chars<'_>, count: usize) -> Option<char> {
    let digits: String = chars.take(count).collect();
    u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == count).and_then(char::from_u32)
}

fn classes(most_derived: &str, bases: &[&str]) -> Vec<Arc<str>> {
    std::iter::once(most_derived)
        .chain(bases.iter().copied())
        .map(|class| format!("{NAMESPACE}.{class}").into())
        .chain(["System.Object".into()])
        .collect()
}

/// The pattern behind a `[regex]` object.
#[derive(Debug)]
pub(crate) struct PatternSource(pub(crate) Arc<Pattern>);

impl PropertySource for PatternSource {
    fn names(&self) -> Vec<Arc<str>> {
        ["Options", "RightToLeft"].map(Into::into).to_vec()
    }

    fn get(&self, name: &str) -> Option<Value> {
        match name.to_ascii_lowercase().as_str() {
            "options" => Some(options(self.0.flags())),
            "righttoleft" => Some(Value::Bool(false)),
            _ => None,
        }
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

fn options(flags: Flags) -> Value {
    let number = flags.bits();
    let names: Vec<&str> =
        crate::types::enumeration(OPTIONS).unwrap_or_default().iter().filter(|(_, bit)| number & bit != 0).map(|(n, _)| *n).collect();
    let name = if names.is_empty() { "None".to_string() } else { names.join(", ") };
    Value::Enum(Arc::new(EnumValue { type_name: OPTIONS.into(), name: name.into(), number }))
}

/// A `[regex]` object.
pub fn object(pattern: Arc<Pattern>) -> Value {
    let mut object = PsObject::new(format!("{NAMESPACE}.Regex")).with_text(pattern.as_str());
    object.source = Some(Arc::new(PatternSource(pattern)));
    object.into()
}

/// The pattern of a `[regex]` object.
fn pattern_of(object: &PsObject) -> Option<&Arc<Pattern>> {
    object.source.as_ref()?.as_any()?.downcast_ref::<PatternSource>().map(|source| &source.0)
}

/// A match, a group or a capture: a piece of a text.
#[derive(Debug)]
struct PieceSource {
    pattern: Arc<Pattern>,
    text: Arc<str>,
    found: Option<Arc<Found>>,
    /// The number of the group; 0 for matches.
    number: usize,
    what: Piece,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Match,
    Group,
    Capture,
}

impl PieceSource {
    fn span(&self) -> Option<(usize, usize)> {
        self.found.as_ref()?.spans.get(self.number).copied().flatten()
    }

    fn part(&self, number: usize, what: Piece) -> Value {
        piece(PieceSource { pattern: self.pattern.clone(), text: self.text.clone(), found: self.found.clone(), number, what })
    }

    fn collection(&self, class: &str, items: Vec<Value>) -> Value {
        Value::List(List::new(ListKind::Collection(format!("{NAMESPACE}.{class}").into()), items))
    }
}

impl PropertySource for PieceSource {
    fn names(&self) -> Vec<Arc<str>> {
        let names: &[&str] = match self.what {
            Piece::Match => &["Groups", "Success", "Name", "Captures", "Index", "Length", "Value"],
            Piece::Group => &["Success", "Name", "Captures", "Index", "Length", "Value"],
            Piece::Capture => &["Index", "Length", "Value"],
        };
        names.iter().map(|n| (*n).into()).collect()
    }

    fn get(&self, name: &str) -> Option<Value> {
        let units = |range: std::ops::Range<usize>| len(self.text[range].encode_utf16().count());
        let (start, end) = self.span().unwrap_or_default();
        let lower = name.to_ascii_lowercase();
        Some(match lower.as_str() {
            "index" => units(0..start),
            "length" => units(start..end),
            "value" => Value::str(&self.text[start..end]),
            "success" if self.what != Piece::Capture => Value::Bool(self.span().is_some()),
            "name" if self.what != Piece::Capture => match self.pattern.groups().get(self.number).and_then(|g| g.name.clone()) {
                Some(name) => Value::Str(name),
                None => Value::str(self.number.to_string()),
            },
            "captures" if self.what != Piece::Capture => {
                let captures = if self.span().is_some() { vec![self.part(self.number, Piece::Capture)] } else { Vec::new() };
                self.collection("CaptureCollection", captures)
            }
            "groups" if self.what == Piece::Match => {
                let count = if self.found.is_some() { self.pattern.groups().len() } else { 1 };
                self.collection("GroupCollection", (0..count).map(|number| self.part(number, Piece::Group)).collect())
            }
            _ => return None,
        })
    }

    fn unmodelled(&self, name: &str) -> Option<String> {
        let repeated = self.pattern.groups().get(self.number).is_some_and(|g| g.repeated);
        (repeated && name.eq_ignore_ascii_case("captures")).then(|| format!("Captures of the repeated group {}", self.number))
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

fn piece(source: PieceSource) -> Value {
    let text = source.span().map_or("", |(start, end)| &source.text[start..end]);
    // The whole match among its own groups is a match again.
    let type_names = match source.what {
        Piece::Match => classes("Match", &["Group", "Capture"]),
        Piece::Group if source.number == 0 && source.found.is_some() => classes("Match", &["Group", "Capture"]),
        Piece::Group => classes("Group", &["Capture"]),
        Piece::Capture => classes("Capture", &[]),
    };
    let mut object = PsObject::new("System.Object").with_text(text);
    object.type_names = type_names;
    object.source = Some(Arc::new(source));
    object.into()
}

/// A `Match` object; without a match, the one whose `Success` is false.
pub fn match_object(pattern: &Arc<Pattern>, text: &Arc<str>, found: Option<Found>) -> Value {
    piece(PieceSource { pattern: pattern.clone(), text: text.clone(), found: found.map(Arc::new), number: 0, what: Piece::Match })
}

/// The group of a name or beyond the last number in a `GroupCollection`: the failed group when there is none.
pub(crate) fn group_of(items: &[Value], at: &Value) -> Value {
    let wanted = shared_text(at);
    let by_name = |item: &&Value| matches!(item, Value::Object(group) if group.get("Name").is_some_and(|n| *shared_text(&n) == *wanted));
    match items.iter().find(by_name) {
        Some(found) => found.clone(),
        None => {
            let mut object = PsObject::new("System.Object").with_text("").with("Success", false).with("Name", "0");
            object.type_names = classes("Group", &["Capture"]);
            object
                .with("Captures", Value::List(List::new(ListKind::Collection(format!("{NAMESPACE}.CaptureCollection").into()), Vec::new())))
                .with("Index", 0)
                .with("Length", 0)
                .with("Value", "")
                .into()
        }
    }
}

/// `[regex]::new(pattern, options)`.
pub(in crate::types) fn construct(call: &Call<'_>) -> Result<Value, Flow> {
    let flags = match call.count() {
        1 => 0,
        2 => call.bits(1, "options", OPTIONS)?,
        _ => return Err(call.overload()),
    };
    compile_for(&call.text(0), Flags::from_bits(flags), ".ctor", call.count()).map(object)
}

/// Static members of `[regex]`.
pub(in crate::types) fn statics(call: &Call<'_>, cx: &mut dyn Context) -> Answer {
    let count = call.count();
    match (call.lower, count) {
        ("escape", 1) => return gives(escape(&call.text(0))),
        ("unescape", 1) => {
            let unknown = || call.threw(&format!("parsing \"{}\" - Unrecognized escape sequence.", call.text(0)), ARGUMENT);
            return gives(unescape(&call.text(0)).ok_or_else(unknown)?);
        }
        _ => {}
    }
    let options_at = match call.lower {
        "ismatch" | "match" | "matches" | "split" => 2,
        "replace" => 3,
        _ => return Ok(None),
    };
    if count < options_at || count > options_at + 1 {
        return Err(call.overload());
    }
    let bits = if count > options_at { call.bits(options_at, "options", OPTIONS)? } else { 0 };
    let pattern = compile_for(&call.text(1), Flags::from_bits(bits), call.name, count)?;
    let mut rest: Vec<Value> = vec![call.value(0).clone()];
    rest.extend(call.arguments.get(2..options_at).unwrap_or_default().iter().cloned());
    run(&pattern, &Call { arguments: &rest, ..*call }, cx)
}

/// Methods of `[regex]` objects, matches and groups.
pub(in crate::types) fn method(object: &PsObject, call: &Call<'_>, cx: &mut dyn Context) -> Answer {
    if let Some(pattern) = pattern_of(object) {
        return match (call.lower, call.count()) {
            ("tostring", 0) => gives(pattern.as_str()),
            ("getgroupnames", 0) => {
                let name =
                    |(at, group): (usize, &super::GroupInfo)| group.name.clone().map_or_else(|| Value::str(at.to_string()), Value::Str);
                gives(Value::typed_array("System.String", pattern.groups().iter().enumerate().map(name).collect()))
            }
            ("getgroupnumbers", 0) => gives(Value::typed_array("System.Int32", (0..pattern.groups().len()).map(len).collect())),
            ("groupnumberfromname", 1) => gives(pattern.group_number(&call.text(0)).map_or(Value::Int(-1), len)),
            ("groupnamefromnumber", 1) => {
                let number = usize::try_from(call.int(0, "i")?).unwrap_or(usize::MAX);
                gives(match pattern.groups().get(number) {
                    Some(group) => group.name.as_deref().map_or_else(|| number.to_string(), str::to_string),
                    None => String::new(),
                })
            }
            _ => run(pattern, call, cx),
        };
    }
    let Some(piece) = object.source.as_ref().and_then(|s| s.as_any()).and_then(|s| s.downcast_ref::<PieceSource>()) else {
        return Ok(None);
    };
    match (call.lower, call.count(), &piece.found) {
        ("tostring", 0, _) => gives(object.text.as_deref().unwrap_or_default()),
        ("nextmatch", 0, Some(found)) if piece.number == 0 => {
            gives(match_object(&piece.pattern, &piece.text, piece.pattern.find_after(&piece.text, found)?))
        }
        ("nextmatch", 0, None) => gives(match_object(&piece.pattern, &piece.text, None)),
        ("result", 1, Some(found)) if piece.number == 0 => {
            let mut out = String::new();
            Replacement::new(&call.text(0), &piece.pattern).expand(found, &piece.text, &mut out);
            gives(out)
        }
        ("result", 1, None) => Err(call.threw("Result cannot be called on a failed Match.", "System.NotSupportedException")),
        _ => Ok(None),
    }
}

/// What both the static methods and those of an object do; the subject is the first argument.
fn run(pattern: &Arc<Pattern>, call: &Call<'_>, cx: &mut dyn Context) -> Answer {
    let subject = call.text(0);
    // Positions of .NET count UTF-16 units.
    let from = |at: usize| -> Result<usize, Flow> {
        if call.count() <= at {
            return Ok(0);
        }
        let wanted = usize::try_from(call.int(at, "startat")?).unwrap_or(usize::MAX);
        let out_of_range = || {
            let reason = "Start index cannot be less than 0 or greater than input length.\r\nParameter name: startat";
            call.threw(reason, crate::types::call::RANGE)
        };
        let mut units = 0;
        let mut places = subject.char_indices().map(|(byte, c)| (byte, c.len_utf16())).chain([(subject.len(), 1)]);
        places
            .find_map(|(byte, size)| {
                let here = units >= wanted;
                units += size;
                here.then_some(byte)
            })
            .ok_or_else(out_of_range)
    };
    let limit = |at: usize| -> Result<usize, Flow> {
        let asked = if call.count() > at { call.int(at, "count")? } else { -1 };
        Ok(usize::try_from(asked).unwrap_or(usize::MAX))
    };
    match (call.lower, call.count()) {
        ("ismatch", 1) => gives(pattern.is_match(&subject)?),
        ("ismatch", 2) => gives(pattern.find_at(&subject, from(1)?)?.is_some()),
        ("match", 1 | 2) => gives(match_object(pattern, &subject, pattern.find_at(&subject, from(1)?)?)),
        ("matches", 1) => {
            let all = pattern.find_all(&subject, usize::MAX)?;
            let items = all.into_iter().map(|found| match_object(pattern, &subject, Some(found))).collect();
            gives(Value::List(List::new(ListKind::Collection(format!("{NAMESPACE}.MatchCollection").into()), items)))
        }
        ("split", 1 | 2) => {
            let limit = if call.count() > 1 { limit(1)? } else { 0 };
            gives(Value::typed_array("System.String", pattern.split(&subject, limit)?.into_iter().map(Value::str).collect()))
        }
        ("replace", 2 | 3) => match call.value(1) {
            Value::Script(block) => {
                let evaluate = |found: &Found, out: &mut String| -> Result<(), Flow> {
                    let argument = match_object(pattern, &subject, Some(found.clone()));
                    let mut results = Vec::new();
                    let block = BlockCall { block, underscore: None, arguments: vec![argument], scope: BlockScope::Child };
                    cx.call_block(block, &mut |value| {
                        results.push(value);
                        Ok(())
                    })?;
                    out.push_str(&match results.as_slice() {
                        [one] => shared_text(one),
                        many => shared_text(&Value::array(many.to_vec())),
                    });
                    Ok(())
                };
                gives(pattern.replace_with(&subject, limit(2)?, evaluate)?)
            }
            replacement => {
                let replacement = Replacement::new(&shared_text(replacement), pattern);
                gives(pattern.replace(&subject, &replacement, limit(2)?)?)
            }
        },
        ("ismatch" | "match" | "matches" | "split" | "replace", _) => Err(call.overload()),
        _ => Ok(None),
    }
}
