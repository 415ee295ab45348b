//! `Export-Clixml` and `Import-Clixml`: objects as XML (MS-PSRP 2.2.5, "Serialization").

use std::sync::{Arc, RwLock};

use super::{error, number, texts};
use crate::command::BoundParameters;
use crate::convert::{self, datetime, display, shared_text};
use crate::error::{ErrorRecord, Flow};
use crate::pipeline::Context;
use crate::types;
use crate::value::{EnumValue, Hashtable, List, ListKind, Number, PsObject, Value};

/// Deepest nesting that is read; deeper documents are refused.
const DEEPEST: usize = 64;

struct Writer {
    out: String,
    indent: usize,
    references: usize,
    /// Lists of type names that were written, in order of their ids.
    types: Vec<Vec<Arc<str>>>,
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if (c as u32) < 0x20 || c as u32 == 0x7F => out.push_str(&format!("_x{:04X}_", c as u32)),
            c => out.push(c),
        }
    }
    out
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 2..at + 6).filter(|_| rest.get(at + 6..at + 7) == Some("_"));
        match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                rest = &rest[at + 7..];
            }
            None => {
                out.push_str("_x");
                rest = &rest[at + 2..];
            }
        }
    }
    out + rest
}

/// ISO 8601 duration, `P1DT2H3M4.5S`.
fn duration(nanoseconds: i64) -> String {
    if nanoseconds == 0 {
        return "PT0S".into();
    }
    let n = nanoseconds.unsigned_abs();
    let (days, rest) = (n / 86_400_000_000_000, n % 86_400_000_000_000);
    let (hours, minutes, nanos) = (rest / 3_600_000_000_000, rest / 60_000_000_000 % 60, rest % 60_000_000_000);
    let mut out = String::from(if nanoseconds < 0 { "-P" } else { "P" });
    if days > 0 {
        out.push_str(&format!("{days}D"));
    }
    if rest > 0 {
        out.push('T');
        if hours > 0 {
            out.push_str(&format!("{hours}H"));
        }
        if minutes > 0 {
            out.push_str(&format!("{minutes}M"));
        }
        if nanos > 0 {
            let fraction = format!("{:07}", nanos % 1_000_000_000 / 100);
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            out.push_str(&format!("{}{point}{fraction}S", nanos / 1_000_000_000));
        }
    }
    out
}

fn parse_duration(text: &str) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut total = 0.0;
    let mut digits = String::new();
    let mut in_time = false;
    for c in text.strip_prefix('P')?.chars() {
        match c {
            'T' => in_time = true,
            'D' | 'H' | 'M' | 'S' => {
                let unit = match (c, in_time) {
                    ('D', false) => 86400.0,
                    ('H', true) => 3600.0,
                    ('M', true) => 60.0,
                    ('S', true) => 1.0,
                    _ => return None,
                };
                total += digits.parse::<f64>().ok()? * unit;
                digits.clear();
            }
            c => digits.push(c),
        }
    }
    #[allow(clippy::cast_possible_truncation)]
    let ticks = (total * 1e7).round() as i64;
    Some(ticks.checked_mul(100)? * if negative { -1 } else { 1 })
}

impl Writer {
    fn line(&mut self, text: &str) {
        self.out.push_str(&"  ".repeat(self.indent));
        self.out.push_str(text);
        self.out.push_str("\r\n");
    }

    fn element(&mut self, tag: &str, name: &str, text: &str) {
        self.line(&format!("<{tag}{name}>{text}</{tag}>"));
    }

    fn type_names(&mut self, names: Vec<Arc<str>>) {
        if let Some(at) = self.types.iter().position(|known| *known == names) {
            return self.line(&format!("<TNRef RefId=\"{at}\" />"));
        }
        self.line(&format!("<TN RefId=\"{}\">", self.types.len()));
        self.indent += 1;
        for name in &names {
            self.element("T", "", &escape(name));
        }
        self.indent -= 1;
        self.line("</TN>");
        self.types.push(names);
    }

    fn open(&mut self, name: &str) {
        let id = self.references;
        self.references += 1;
        self.line(&format!("<Obj{name} RefId=\"{id}\">"));
        self.indent += 1;
    }

    fn close(&mut self) {
        self.indent -= 1;
        self.line("</Obj>");
    }

    fn group(&mut self, tag: &str, body: impl FnOnce(&mut Self)) {
        self.line(&format!("<{tag}>"));
        self.indent += 1;
        body(self);
        self.indent -= 1;
        self.line(&format!("</{tag}>"));
    }

    fn value(&mut self, value: &Value, name: Option<&str>, depth: usize) {
        // Objects that hold themselves twice are written without end.
        if crate::limits::longer(self.out.len()).is_err() {
            return;
        }
        let attribute = name.map(|n| format!(" N=\"{}\"", escape(n))).unwrap_or_default();
        let a = attribute.as_str();
        match value {
            Value::Null => self.line(&format!("<Nil{a} />")),
            Value::Bool(b) => self.element("B", a, if *b { "true" } else { "false" }),
            Value::Int(n) => self.element("I32", a, &n.to_string()),
            Value::Long(n) => self.element("I64", a, &n.to_string()),
            Value::Double(_) => self.element("Db", a, &shared_text(value)),
            Value::Char(c) => self.element("C", a, &(*c as u32).to_string()),
            Value::Str(text) => self.element("S", a, &escape(text)),
            Value::DateTime(at) => {
                let text = datetime::format(*at, "yyyy-MM-ddTHH:mm:ss.FFFFFFF").unwrap_or_default();
                self.element("DT", a, text.trim_end_matches('.'));
            }
            Value::TimeSpan(span) => self.element("TS", a, &duration(span.nanoseconds())),
            Value::Guid(_) => self.element("G", a, &shared_text(value)),
            Value::Version(_) => self.element("Version", a, &shared_text(value)),
            Value::Script(block) => self.element("SBK", a, &escape(&block.text)),
            Value::Number(n) => {
                let tag = match n {
                    Number::SByte(_) => "SB",
                    Number::Byte(_) => "By",
                    Number::Int16(_) => "I16",
                    Number::UInt16(_) => "U16",
                    Number::UInt32(_) => "U32",
                    Number::UInt64(_) => "U64",
                    Number::Single(_) => "Sg",
                    Number::Decimal(_) => "D",
                };
                self.element(tag, a, &shared_text(value));
            }
            Value::Enum(member) => {
                self.open(a);
                let names = [&*member.type_name, "System.Enum", "System.ValueType", "System.Object"];
                self.type_names(names.iter().map(|n| Arc::from(*n)).collect());
                self.element("ToString", "", &escape(&member.name));
                self.element("I32", "", &member.number.to_string());
                self.close();
            }
            Value::Type(_) => self.element("S", a, &escape(&shared_text(value))),
            Value::Array(_) | Value::List(_) => {
                if depth == 0 {
                    return self.element("S", a, &escape(&display(value)));
                }
                self.open(a);
                let names: &[&str] = match value {
                    Value::List(list) => match &list.kind {
                        ListKind::TypedArray(_) => &["System.Array", "System.Object"],
                        _ => &["System.Object"],
                    },
                    _ => &["System.Array", "System.Object"],
                };
                let first = types::type_name(value);
                self.type_names(std::iter::once(first).chain(names.iter().map(|n| Arc::from(*n))).collect());
                self.group("LST", |w| value.items().unwrap_or_default().iter().for_each(|item| w.value(item, None, depth - 1)));
                self.close();
            }
            Value::Hash(table) => {
                let (ordered, entries) =
                    table.read().map(|t| (t.ordered, t.entries.values().cloned().collect::<Vec<_>>())).unwrap_or_default();
                if depth == 0 {
                    return self.element("S", a, &escape(&display(value)));
                }
                self.open(a);
                let name = if ordered { "System.Collections.Specialized.OrderedDictionary" } else { "System.Collections.Hashtable" };
                self.type_names(vec![name.into(), "System.Object".into()]);
                self.group("DCT", |w| {
                    for (key, value) in &entries {
                        w.group("En", |w| {
                            w.value(key, Some("Key"), depth - 1);
                            w.value(value, Some("Value"), depth - 1);
                        });
                    }
                });
                self.close();
            }
            Value::Error(_) | Value::Object(_) => self.object(value, a, depth),
        }
    }

    fn object(&mut self, value: &Value, attribute: &str, depth: usize) {
        if let Some(secret) = super::shell::secret_of(value) {
            let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
            return self.element("SS", attribute, &hex);
        }
        if depth == 0 {
            return self.element("S", attribute, &escape(&display(value)));
        }
        self.open(attribute);
        let names = types::type_names(value);
        let custom = names.iter().any(|n| n.ends_with("PSCustomObject"));
        self.type_names(names);
        let text = match value {
            Value::Object(object) => object.text.clone(),
            other => Some(shared_text(other)),
        };
        if let Some(text) = text.filter(|_| !custom) {
            self.element("ToString", "", &escape(&text));
        }
        let properties = types::property_names(value);
        if !properties.is_empty() {
            self.group(if custom { "MS" } else { "Props" }, |w| {
                for name in &properties {
                    let inner = types::property(value, name).unwrap_or(Value::Null);
                    w.value(&inner, Some(name), depth - 1);
                }
            });
        }
        self.close();
    }
}

/// `Export-Clixml`.
pub(super) fn export(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let path = parameters.text("Path").or_else(|| parameters.text("LiteralPath")).unwrap_or_else(|| "".into());
    let depth = number(parameters, "Depth").and_then(|n| usize::try_from(n).ok()).unwrap_or(2).min(DEEPEST);
    let mut writer = Writer { out: String::new(), indent: 0, references: 0, types: Vec::new() };
    writer.line("<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">");
    writer.indent = 1;
    for item in &items {
        // The object itself does not count.
        writer.value(item, None, depth + 1);
    }
    writer.indent = 0;
    writer.line("</Objs>");
    if parameters.switch("NoClobber") && super::files::exists(&path, cx) {
        return Err(error(format!("The file '{path}' already exists."), "NoClobber", "ResourceExists", "System.IO.IOException").into());
    }
    if !cx.should_process(&path, "Export-Clixml")? {
        return Ok(());
    }
    let text = writer.out.trim_end().to_owned();
    let encoding = super::files::Encoding::of(parameters, super::files::Encoding::Utf16)?;
    super::files::write_text(&path, &text, false, encoding, cx)
}

/// One element of a document.
struct Element {
    tag: String,
    name: Option<String>,
    reference: Option<String>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn child(&self, tag: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.tag == tag)
    }
}

fn malformed() -> ErrorRecord {
    error(
        "The XML document is not well-formed, or not of the form that Export-Clixml writes.",
        "System.Xml.XmlException",
        "NotSpecified",
        "System.Xml.XmlException",
    )
}

/// Entities of XML; others stay as they are.
fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let end = rest[at..].find(';').map(|e| at + e);
        let entity = end.map(|e| &rest[at + 1..e]);
        let c = match entity {
            Some("lt") => Some('<'),
            Some("gt") => Some('>'),
            Some("amp") => Some('&'),
            Some("quot") => Some('"'),
            Some("apos") => Some('\''),
            Some(code) => code
                .strip_prefix("#x")
                .map(|hex| u32::from_str_radix(hex, 16))
                .or_else(|| code.strip_prefix('#').map(str::parse))
                .and_then(Result::ok)
                .and_then(char::from_u32),
            None => None,
        };
        match (c, end) {
            (Some(c), Some(end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[at + 1..];
            }
        }
    }
    out + rest
}

/// Reads the elements of a document, without recursion.
fn read(text: &str) -> Result<Vec<Element>, ErrorRecord> {
    let mut stack = vec![Element { tag: String::new(), name: None, reference: None, text: String::new(), children: Vec::new() }];
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        if let Some(open) = stack.last_mut() {
            open.text.push_str(&rest[..at]);
        }
        let end = rest[at..].find('>').ok_or_else(malformed)? + at;
        let inside = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if inside.starts_with(['?', '!']) {
            continue;
        }
        if let Some(tag) = inside.strip_prefix('/') {
            let done = stack.pop().filter(|e| e.tag == tag.trim()).ok_or_else(malformed)?;
            stack.last_mut().ok_or_else(malformed)?.children.push(done);
            continue;
        }
        let (inside, empty) = inside.strip_suffix('/').map_or((inside, false), |i| (i, true));
        let tag = inside.split_whitespace().next().ok_or_else(malformed)?.to_owned();
        let attribute = |name: &str| {
            let from = inside.find(&format!(" {name}=\""))? + name.len() + 3;
            let len = inside[from..].find('"')?;
            Some(unescape(&decoded(&inside[from..from + len])))
        };
        let element = Element { name: attribute("N"), reference: attribute("RefId"), tag, text: String::new(), children: Vec::new() };
        if empty {
            stack.last_mut().ok_or_else(malformed)?.children.push(element);
        } else {
            if stack.len() > DEEPEST * 4 {
                return Err(malformed());
            }
            stack.push(element);
        }
    }
    match (stack.pop(), stack.is_empty()) {
        (Some(root), true) => match root.children.into_iter().find(|e| e.tag == "Objs") {
            Some(objects) => Ok(objects.children),
            None => Err(malformed()),
        },
        _ => Err(malformed()),
    }
}

#[derive(Default)]
struct Reader {
    types: std::collections::BTreeMap<String, Vec<Arc<str>>>,
    objects: std::collections::BTreeMap<String, Value>,
}

impl Reader {
    fn value(&mut self, element: &Element, cx: &mut dyn Context) -> Result<Value, Flow> {
        let text = unescape(&decoded(&element.text));
        let cast = |name: &str| convert::cast(&Value::str(text.trim()), name).map_err(Flow::from);
        Ok(match element.tag.as_str() {
            "Nil" => Value::Null,
            "B" => Value::Bool(text.trim().eq_ignore_ascii_case("true")),
            "I32" => cast("int")?,
            "I64" => cast("long")?,
            "Db" => cast("double")?,
            "Sg" => cast("single")?,
            "D" => cast("decimal")?,
            "By" => cast("byte")?,
            "SB" => cast("sbyte")?,
            "I16" => cast("int16")?,
            "U16" => cast("uint16")?,
            "U32" => cast("uint32")?,
            "U64" => cast("uint64")?,
            "C" => Value::Char(text.trim().parse::<u32>().ok().and_then(char::from_u32).unwrap_or('\0')),
            "DT" => {
                let today = cx.world().now();
                datetime::parse(text.trim(), today).map_or(Value::Null, Value::DateTime)
            }
            "TS" => parse_duration(text.trim()).map_or(Value::Null, |n| Value::TimeSpan(crate::value::TimeSpan::from_nanoseconds(n))),
            "G" => cast("guid")?,
            "Version" => cast("version")?,
            "SS" => {
                let hex = text.trim();
                let bytes: Vec<u8> =
                    (0..hex.len() / 2).filter_map(|at| u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()).collect();
                super::shell::secure_string(&String::from_utf8_lossy(&bytes))
            }
            "Ref" => element.reference.as_ref().and_then(|id| self.objects.get(id).cloned()).unwrap_or(Value::Null),
            "Obj" => self.object(element, cx)?,
            _ => Value::str(text),
        })
    }

    fn object(&mut self, element: &Element, cx: &mut dyn Context) -> Result<Value, Flow> {
        let names: Vec<Arc<str>> = if let Some(list) = element.child("TN") {
            let names: Vec<Arc<str>> = list.children.iter().map(|t| unescape(&decoded(&t.text)).into()).collect();
            if let Some(id) = &list.reference {
                self.types.insert(id.clone(), names.clone());
            }
            names
        } else {
            element.child("TNRef").and_then(|r| r.reference.as_ref()).and_then(|id| self.types.get(id)).cloned().unwrap_or_default()
        };
        let text = element.child("ToString").map(|t| unescape(&decoded(&t.text)));
        let value = if let Some(items) = element.child("LST").or_else(|| element.child("STK")).or_else(|| element.child("QUE")) {
            let mut values = Vec::new();
            for item in &items.children {
                values.push(self.value(item, cx)?);
            }
            // Arrays come back as lists.
            Value::List(List::new(ListKind::ArrayList, values))
        } else if let Some(table) = element.child("DCT") {
            let ordered = names.first().is_some_and(|n| n.ends_with("OrderedDictionary"));
            let mut made = Hashtable::default();
            made.ordered = ordered;
            for entry in &table.children {
                let part = |name: &str| entry.children.iter().find(|c| c.name.as_deref() == Some(name));
                if let (Some(key), Some(value)) = (part("Key"), part("Value")) {
                    let (key, value) = (self.value(key, cx)?, self.value(value, cx)?);
                    made.set(key, value);
                }
            }
            Value::Hash(Arc::new(RwLock::new(made)))
        } else if let (Some(name), Some(number), Some(first)) = (&text, element.child("I32"), names.first())
            && names.iter().any(|n| &**n == "System.Enum")
        {
            let number = number.text.trim().parse().unwrap_or(0);
            Value::Enum(Arc::new(EnumValue { type_name: format!("Deserialized.{first}").into(), name: name.as_str().into(), number }))
        } else {
            let credential = names.first().is_some_and(|n| &**n == "System.Management.Automation.PSCredential");
            let custom = names.iter().any(|n| n.ends_with("PSCustomObject"));
            let mut object = PsObject::new("");
            object.type_names = if credential {
                names
            } else {
                names.iter().map(|n| if n.starts_with("Deserialized.") { n.clone() } else { format!("Deserialized.{n}").into() }).collect()
            };
            object.text = text.filter(|_| !custom).map(Arc::from);
            for group in element.children.iter().filter(|c| matches!(c.tag.as_str(), "MS" | "Props")) {
                for property in &group.children {
                    if let Some(name) = &property.name {
                        let value = self.value(property, cx)?;
                        object.set(name, value);
                    }
                }
            }
            object.into()
        };
        if let Some(id) = &element.reference {
            self.objects.insert(id.clone(), value.clone());
        }
        Ok(value)
    }
}

/// `Import-Clixml`.
pub(super) fn import(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let mut named = texts(parameters, "Path");
    named.extend(texts(parameters, "LiteralPath"));
    for path in named {
        let Some(content) = super::files::read(&path, cx) else {
            let record = super::files::no_such_file(&path, cx);
            cx.write_error(record)?;
            continue;
        };
        let elements = read(&super::decode_text(&content))?;
        let mut reader = Reader::default();
        for element in &elements {
            let value = reader.value(element, cx)?;
            cx.emit(value)?;
        }
    }
    Ok(())
}
