//! `System.Convert`, `System.BitConverter` and `System.Text.Encoding`.

use std::sync::Arc;

use super::call::{ARGUMENT, Call, FORMAT, Found, RANGE, gives, len};
use super::strings::bytes;
use crate::convert::{self, cast_resolved, number};
use crate::error::Flow;
use crate::value::{PropertySource, PsObject, Value};

/// The bytes of a `Byte[]`, or of anything whose elements are numbers.
pub(super) fn raw(value: &Value) -> Vec<u8> {
    let items = value.items().unwrap_or_else(|| vec![value.clone()]);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let byte = |n: number::Num| n.to_f64() as u8;
    items.iter().filter_map(number::as_number).map(byte).collect()
}

/// Static members of `[convert]`.
pub(super) fn statics(call: &Call<'_>) -> Found {
    let count = call.count();
    let target = match call.lower {
        "tosbyte" => "System.SByte",
        "tobyte" => "System.Byte",
        "toint16" => "System.Int16",
        "toint32" => "System.Int32",
        "toint64" => "System.Int64",
        "touint16" => "System.UInt16",
        "touint32" => "System.UInt32",
        "touint64" => "System.UInt64",
        "tosingle" => "System.Single",
        "todouble" => "System.Double",
        "todecimal" => "System.Decimal",
        "todatetime" => "System.DateTime",
        "tochar" => "System.Char",
        "toboolean" => return to_boolean(call),
        "tostring" => return to_string(call),
        "changetype" => {
            return gives(call.cast(0, "value", &super::type_of(call.value(1)).ok_or_else(|| call.overload())?)?);
        }
        "tobase64string" => return gives(base64(&raw(call.value(0)))),
        "frombase64string" => {
            let raw = unbase64(&call.text(0)).ok_or_else(|| {
                let reason = "The input is not a valid Base-64 string as it contains a non-base 64 character, more than two padding characters, or an \
                              illegal character among the padding characters. ";
                call.threw(reason, FORMAT)
            })?;
            return gives(bytes(&raw));
        }
        _ => return Ok(None),
    };
    if !(1..=2).contains(&count) {
        return Err(call.overload());
    }
    if count == 2 && target.contains("Int") | target.ends_with("Byte") && matches!(call.value(1), Value::Int(_)) {
        return based(call, target);
    }
    if let Value::Str(text) = call.value(0) {
        if target == "System.Char" {
            return cast_resolved(call.value(0), target).map(|c| Some(Some(c))).map_err(|error| call.reason_of(&error));
        }
        let plain = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | ',' | 'e' | 'E');
        let digits = target == "System.DateTime" || text.trim().chars().all(plain);
        if text.trim().is_empty() || !digits || (target.contains("Int") && text.contains(['.', 'e', 'E'])) {
            let what = if target == "System.DateTime" {
                "String was not recognized as a valid DateTime."
            } else {
                "Input string was not in a correct format."
            };
            return Err(call.threw(what, FORMAT));
        }
    }
    cast_resolved(call.value(0), target).map(|value| Some(Some(value))).map_err(|error| call.reason_of(&error))
}

/// Digits of base 2, 8, 10 or 16.
fn based(call: &Call<'_>, target: &str) -> Found {
    let base = call.int(1, "fromBase")?;
    if ![2, 8, 10, 16].contains(&base) {
        return Err(call.threw("Invalid Base.", ARGUMENT));
    }
    let text = call.text(0);
    let digits = if base == 16 { text.trim_start_matches("0x").trim_start_matches("0X") } else { &text };
    let Ok(number) = i128::from_str_radix(digits, u32::try_from(base).unwrap_or(10)) else {
        let some = digits.starts_with(|c: char| c.is_digit(u32::try_from(base).unwrap_or(10)));
        let reason = if some {
            "Additional non-parsable characters are at the end of the string."
        } else {
            "Could not find any recognizable digits."
        };
        return Err(call.threw(reason, FORMAT));
    };
    // Digits of other bases than ten are the bits of the number.
    let wrapped = match target {
        _ if base == 10 => number,
        "System.Int32" => u32::try_from(number).map_or(number, |n| i128::from(n.cast_signed())),
        "System.Int64" => u64::try_from(number).map_or(number, |n| i128::from(n.cast_signed())),
        "System.Int16" => u16::try_from(number).map_or(number, |n| i128::from(n.cast_signed())),
        _ => number,
    };
    let rank = if target == "System.UInt64" { number::Rank::UInt64 } else { number::Rank::Int64 };
    cast_resolved(&number::whole(wrapped, rank), target).map(|value| Some(Some(value))).map_err(|error| call.reason_of(&error))
}

fn to_boolean(call: &Call<'_>) -> Found {
    match call.value(0) {
        Value::Str(s) if s.trim().eq_ignore_ascii_case("true") => gives(true),
        Value::Str(s) if s.trim().eq_ignore_ascii_case("false") => gives(false),
        Value::Str(_) => Err(call.threw("String was not recognized as a valid Boolean.", FORMAT)),
        _ if call.count() == 0 => Err(call.overload()),
        other => gives(convert::to_bool(other)),
    }
}

fn to_string(call: &Call<'_>) -> Found {
    if call.count() == 2
        && matches!(call.value(0), Value::Int(_) | Value::Long(_) | Value::Number(_))
        && matches!(call.value(1), Value::Int(_))
    {
        let base = call.int(1, "toBase")?;
        let n = call.long(0, "value")?;
        let narrow = matches!(call.value(0), Value::Int(_));
        #[allow(clippy::cast_sign_loss, clippy::cast_possible_truncation)]
        let bits = if narrow { u64::from(n as u32) } else { n as u64 };
        return match base {
            2 => gives(format!("{bits:b}")),
            8 => gives(format!("{bits:o}")),
            10 => gives(n.to_string()),
            16 => gives(format!("{bits:x}")),
            _ => Err(call.threw("Invalid Base.", ARGUMENT)),
        };
    }
    gives(convert::display(call.value(0)))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len().div_ceil(3) * 4);
    for chunk in raw.chunks(3) {
        let n = u32::from(chunk[0]) << 16 | u32::from(*chunk.get(1).unwrap_or(&0)) << 8 | u32::from(*chunk.get(2).unwrap_or(&0));
        for at in 0..4 {
            if at <= chunk.len() {
                out.push(ALPHABET[(n >> (18 - 6 * at) & 63) as usize] as char);
            } else {
                out.push('=');
            }
        }
    }
    out
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let clean: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    if !clean.len().is_multiple_of(4) {
        return None;
    }
    let body = clean.iter().position(|b| *b == b'=').map_or(&clean[..], |at| &clean[..at]);
    if clean.len() - body.len() > 2 {
        return None;
    }
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for b in body {
        bits = bits << 6 | u32::try_from(ALPHABET.iter().position(|a| a == b)?).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 255) as u8);
        }
    }
    Some(out)
}

/// An encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Seven bits.
    Ascii,
    /// UTF-8, with a mark in files.
    Utf8,
    /// UTF-8, without a mark.
    Utf8NoMark,
    /// UTF-16, little end first.
    Unicode,
    /// UTF-16, big end first.
    BigEndianUnicode,
    /// UTF-32.
    Utf32,
    /// Windows-1252, the default of Windows PowerShell.
    Windows1252,
    /// ISO 8859-1.
    Latin1,
}

/// Characters of Windows-1252 between 0x80 and 0x9F.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘', '’', '“', '”', '•', '–',
    '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

impl Encoding {
    /// By the name of a static property of `[System.Text.Encoding]`, a code page or an IANA name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "ascii" | "us-ascii" | "20127" => Self::Ascii,
            "utf8" | "utf-8" | "65001" => Self::Utf8,
            "unicode" | "utf-16" | "utf-16le" | "1200" => Self::Unicode,
            "bigendianunicode" | "utf-16be" | "1201" => Self::BigEndianUnicode,
            "utf32" | "utf-32" | "12000" => Self::Utf32,
            "default" | "windows-1252" | "1252" => Self::Windows1252,
            "latin1" | "iso-8859-1" | "28591" => Self::Latin1,
            _ => return None,
        })
    }

    /// Display name, web name, code page and class.
    fn facts(self) -> (&'static str, &'static str, i32, &'static str) {
        match self {
            Self::Ascii => ("US-ASCII", "us-ascii", 20127, "ASCIIEncoding"),
            Self::Utf8 | Self::Utf8NoMark => ("Unicode (UTF-8)", "utf-8", 65001, "UTF8Encoding"),
            Self::Unicode => ("Unicode", "utf-16", 1200, "UnicodeEncoding"),
            Self::BigEndianUnicode => ("Unicode (Big-Endian)", "utf-16BE", 1201, "UnicodeEncoding"),
            Self::Utf32 => ("Unicode (UTF-32)", "utf-32", 12000, "UTF32Encoding"),
            Self::Windows1252 => ("Western European (Windows)", "Windows-1252", 1252, "SBCSCodePageEncoding"),
            Self::Latin1 => ("Western European (ISO)", "iso-8859-1", 28591, "Latin1Encoding"),
        }
    }

    /// Text as bytes, without a mark; what the encoding does not have is a question mark.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        let one = |known: fn(char) -> Option<u8>| text.chars().map(|c| known(c).unwrap_or(b'?')).collect();
        match self {
            Self::Utf8 | Self::Utf8NoMark => text.as_bytes().to_vec(),
            Self::Unicode => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::BigEndianUnicode => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Utf32 => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            Self::Ascii => one(|c| u8::try_from(c).ok().filter(u8::is_ascii)),
            Self::Latin1 => one(|c| u8::try_from(c).ok()),
            Self::Windows1252 => one(|c| match WINDOWS_1252.iter().position(|w| *w == c) {
                Some(at) => u8::try_from(at + 0x80).ok(),
                None => u8::try_from(c).ok(),
            }),
        }
    }

    /// Bytes as text; what is no character is a replacement character.
    pub(super) fn decode(self, raw: &[u8]) -> String {
        let pairs =
            |read: fn([u8; 2]) -> u16| String::from_utf16_lossy(&raw.chunks_exact(2).map(|c| read([c[0], c[1]])).collect::<Vec<_>>());
        match self {
            Self::Utf8 | Self::Utf8NoMark => String::from_utf8_lossy(raw).into_owned(),
            Self::Unicode => pairs(u16::from_le_bytes),
            Self::BigEndianUnicode => pairs(u16::from_be_bytes),
            Self::Utf32 => {
                raw.chunks_exact(4).map(|c| char::from_u32(u32::from_le_bytes([c[0], c[1], c[2], c[3]])).unwrap_or('\u{FFFD}')).collect()
            }
            Self::Ascii => raw.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '?' }).collect(),
            Self::Latin1 => raw.iter().map(|b| char::from(*b)).collect(),
            Self::Windows1252 => {
                raw.iter().map(|b| if (0x80..0xA0).contains(b) { WINDOWS_1252[usize::from(b - 0x80)] } else { char::from(*b) }).collect()
            }
        }
    }

    /// The mark at the head of files.
    pub(super) fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => &[0xEF, 0xBB, 0xBF],
            Self::Unicode => &[0xFF, 0xFE],
            Self::BigEndianUnicode => &[0xFE, 0xFF],
            Self::Utf32 => &[0xFF, 0xFE, 0, 0],
            Self::Utf8NoMark | Self::Ascii | Self::Windows1252 | Self::Latin1 => &[],
        }
    }

    /// `[System.Text.UTF8Encoding]::new(mark)`: writes a mark only when asked for.
    pub(super) fn utf8(mark: bool) -> Value {
        if mark { Self::Utf8.object() } else { Self::Utf8NoMark.object() }
    }

    /// The encoding behind an object.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let Value::Object(object) = value else { return None };
        Some(object.source.as_ref()?.as_any()?.downcast_ref::<EncodingSource>()?.0)
    }

    /// As an object.
    pub(super) fn object(self) -> Value {
        let class = format!("System.Text.{}", self.facts().3);
        let mut object = PsObject::new(class.as_str());
        object.type_names.insert(1, "System.Text.Encoding".into());
        object.source = Some(Arc::new(EncodingSource(self)));
        object.with_text(class).into()
    }
}

#[derive(Debug)]
struct EncodingSource(Encoding);

impl PropertySource for EncodingSource {
    fn names(&self) -> Vec<Arc<str>> {
        ["BodyName", "EncodingName", "HeaderName", "WebName", "IsSingleByte", "CodePage"].map(Into::into).to_vec()
    }

    fn get(&self, name: &str) -> Option<Value> {
        let (display, web, page, _) = self.0.facts();
        Some(match name.to_ascii_lowercase().as_str() {
            "encodingname" => Value::str(display),
            "bodyname" | "headername" | "webname" => Value::str(web),
            "codepage" | "windowscodepage" => Value::Int(page),
            "issinglebyte" => Value::Bool(matches!(self.0, Encoding::Ascii | Encoding::Windows1252 | Encoding::Latin1)),
            _ => return None,
        })
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

/// Static members of `[System.Text.Encoding]`.
pub(super) fn encoding_statics(call: &Call<'_>) -> Found {
    match (call.lower, call.count()) {
        ("getencoding", 1) => match Encoding::named(&call.text(0)) {
            Some(encoding) => gives(encoding.object()),
            None => Err(call.threw(
                &format!("'{}' is not a supported encoding name. For information on defining a custom encoding, see the documentation for the Encoding.RegisterProvider method.\r\nParameter name: name", call.text(0)),
                ARGUMENT,
            )),
        },
        ("convert", 3) => match (Encoding::of(call.value(0)), Encoding::of(call.value(1))) {
            (Some(from), Some(to)) => gives(bytes(&to.encode(&from.decode(&raw(call.value(2)))))),
            _ => Err(call.overload()),
        },
        _ => Ok(None),
    }
}

/// Methods of encodings.
pub(super) fn encoding_methods(object: &PsObject, call: &Call<'_>) -> Found {
    let Some(encoding) = object.source.as_ref().and_then(|s| s.as_any()).and_then(|s| s.downcast_ref::<EncodingSource>()) else {
        return Ok(None);
    };
    let encoding = encoding.0;
    match (call.lower, call.count()) {
        ("getbytes", 1) => {
            gives(bytes(&encoding.encode(&call.items(0).iter().map(|c| convert::shared_text(c).to_string()).collect::<String>())))
        }
        ("getstring", 1) => gives(encoding.decode(&raw(call.value(0)))),
        ("getstring", 3) => {
            let content = raw(call.value(0));
            let (start, length) = (call.int(1, "index")?, call.int(2, "count")?);
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            let part = content.get(start..start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)));
            let reason = "Index and count must refer to a location within the buffer.\r\nParameter name: bytes";
            gives(encoding.decode(part.ok_or_else(|| call.threw(reason, RANGE))?))
        }
        ("getchars", 1) => {
            gives(Value::typed_array("System.Char", encoding.decode(&raw(call.value(0))).chars().map(Value::Char).collect()))
        }
        ("getbytecount", 1) => gives(len(encoding.encode(&call.text(0)).len())),
        ("getcharcount", 1) => gives(len(encoding.decode(&raw(call.value(0))).encode_utf16().count())),
        ("getpreamble", 0) => gives(bytes(encoding.mark())),
        _ => Ok(None),
    }
}

/// Static members of `[BitConverter]`.
pub(super) fn bit_statics(call: &Call<'_>) -> Found {
    let read = |size: usize| -> Result<u64, Flow> {
        let content = raw(call.value(0));
        let start = usize::try_from(call.int(1, "startIndex")?).unwrap_or(usize::MAX);
        let reason = "Destination array is not long enough to copy all the items in the collection. Check array index and length.";
        let part = content.get(start..start.saturating_add(size)).ok_or_else(|| call.threw(reason, ARGUMENT))?;
        Ok(part.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    match (call.lower, call.count()) {
        ("tostring", 1) => gives(raw(call.value(0)).iter().map(|b| format!("{b:02X}")).collect::<Vec<_>>().join("-")),
        ("getbytes", 1) => {
            use crate::value::Number;
            let made: Vec<u8> = match call.value(0) {
                Value::Bool(b) => vec![u8::from(*b)],
                Value::Char(c) => (*c as u32 as u16).to_le_bytes().to_vec(),
                Value::Int(n) => n.to_le_bytes().to_vec(),
                Value::Long(n) => n.to_le_bytes().to_vec(),
                Value::Double(n) => n.to_le_bytes().to_vec(),
                Value::Number(Number::Int16(n)) => n.to_le_bytes().to_vec(),
                Value::Number(Number::UInt16(n)) => n.to_le_bytes().to_vec(),
                Value::Number(Number::UInt32(n)) => n.to_le_bytes().to_vec(),
                Value::Number(Number::UInt64(n)) => n.to_le_bytes().to_vec(),
                Value::Number(Number::Single(n)) => n.to_le_bytes().to_vec(),
                _ => return Err(call.overload()),
            };
            gives(bytes(&made))
        }
        ("toint16", 2) => gives(Value::Number(crate::value::Number::Int16(read(2)? as u16 as i16))),
        ("touint16", 2) => gives(Value::Number(crate::value::Number::UInt16(read(2)? as u16))),
        ("toint32", 2) => gives(Value::Int(read(4)? as u32 as i32)),
        ("touint32", 2) => gives(Value::Number(crate::value::Number::UInt32(read(4)? as u32))),
        ("toint64", 2) => gives(Value::Long(read(8)? as i64)),
        ("touint64", 2) => gives(Value::Number(crate::value::Number::UInt64(read(8)?))),
        ("todouble", 2) => gives(f64::from_bits(read(8)?)),
        ("toboolean", 2) => gives(read(1)? != 0),
        _ => Ok(None),
    }
}
