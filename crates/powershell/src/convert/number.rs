//! Numbers: classes of types, text to number, and numeric format strings.

use super::decimal::Decimal;
use super::text::general;
use crate::value::{Number, Value};

/// A number in the widest form of its family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Num {
    /// Any whole number, with the rank of its type.
    Int(i128, Rank),
    /// `Single` and `Double`.
    Float(f64),
    /// `Decimal`.
    Decimal(Decimal),
}

/// Whole-number types in the order in which arithmetic widens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// `Int32` and everything narrower.
    Int32,
    /// `UInt32`.
    UInt32,
    /// `Int64`.
    Int64,
    /// `UInt64`.
    UInt64,
}

/// The number that a value is, if it is one (booleans, characters and text are not).
pub fn as_number(value: &Value) -> Option<Num> {
    Some(match value {
        Value::Int(n) => Num::Int(i128::from(*n), Rank::Int32),
        Value::Long(n) => Num::Int(i128::from(*n), Rank::Int64),
        Value::Double(n) => Num::Float(*n),
        Value::Number(number) => match *number {
            Number::SByte(n) => Num::Int(i128::from(n), Rank::Int32),
            Number::Byte(n) => Num::Int(i128::from(n), Rank::Int32),
            Number::Int16(n) => Num::Int(i128::from(n), Rank::Int32),
            Number::UInt16(n) => Num::Int(i128::from(n), Rank::Int32),
            Number::UInt32(n) => Num::Int(i128::from(n), Rank::UInt32),
            Number::UInt64(n) => Num::Int(i128::from(n), Rank::UInt64),
            Number::Single(n) => Num::Float(f64::from(n)),
            Number::Decimal(n) => Num::Decimal(n),
        },
        _ => return None,
    })
}

impl Num {
    /// As a double.
    pub fn to_f64(self) -> f64 {
        match self {
            #[allow(clippy::cast_precision_loss)]
            Self::Int(n, _) => n as f64,
            Self::Float(n) => n,
            Self::Decimal(n) => n.to_f64(),
        }
    }

    /// As a decimal, if it fits.
    pub fn to_decimal(self) -> Option<Decimal> {
        match self {
            Self::Int(n, _) => Decimal::from_int(n),
            Self::Float(n) => Decimal::from_f64(n),
            Self::Decimal(n) => Some(n),
        }
    }

    /// As a value again; whole numbers take the narrowest of `Int32`, `Int64`, `Double` that holds them, from `rank` up.
    pub fn into_value(self) -> Value {
        match self {
            Self::Int(n, rank) => whole(n, rank),
            Self::Float(n) => Value::Double(n),
            Self::Decimal(n) => Value::Number(Number::Decimal(n)),
        }
    }
}

/// A whole number of a given rank; what does not fit becomes a double.
pub fn whole(n: i128, rank: Rank) -> Value {
    #[allow(clippy::cast_precision_loss)]
    let overflow = || Value::Double(n as f64);
    match rank {
        Rank::Int32 => i32::try_from(n).map_or_else(|_| overflow(), Value::Int),
        Rank::UInt32 => u32::try_from(n).map_or_else(|_| overflow(), |n| Value::Number(Number::UInt32(n))),
        Rank::Int64 => i64::try_from(n).map_or_else(|_| overflow(), Value::Long),
        Rank::UInt64 => u64::try_from(n).map_or_else(|_| overflow(), |n| Value::Number(Number::UInt64(n))),
    }
}

/// Text as PowerShell's operators read it: like a number literal, with sign, blanks, hexadecimal, exponent and multiplier.
pub fn parse_literal(text: &str) -> Option<Num> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Num::Int(0, Rank::Int32));
    }
    let (negative, body) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = body.to_ascii_lowercase();
    let (lower, multiplier) = match ["kb", "mb", "gb", "tb", "pb"].iter().position(|m| lower.ends_with(m)) {
        Some(at) if !lower.starts_with("0x") => {
            let power = u32::try_from(at).ok()? + 1;
            (lower[..lower.len() - 2].to_string(), 1024i128.pow(power))
        }
        _ => (lower, 1),
    };
    let int = |n: i128| {
        let n = if negative { -n } else { n };
        n.checked_mul(multiplier).map(|n| {
            if i32::try_from(n).is_ok() {
                Num::Int(n, Rank::Int32)
            } else if i64::try_from(n).is_ok() {
                Num::Int(n, Rank::Int64)
            } else {
                #[allow(clippy::cast_precision_loss)]
                Num::Float(n as f64)
            }
        })
    };
    if let Some(hex) = lower.strip_prefix("0x") {
        if hex.is_empty() || hex.len() > 16 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let n = u64::from_str_radix(hex, 16).ok()?;
        #[allow(clippy::cast_possible_wrap)]
        let n = if hex.len() <= 8 { i128::from(u32::try_from(n).ok()? as i32) } else { i128::from(n as i64) };
        return int(n);
    }
    let (lower, long) = match lower.strip_suffix('l') {
        Some(rest) => (rest.to_string(), true),
        None => (lower, false),
    };
    if let Some(rest) = lower.strip_suffix('d') {
        let number = Decimal::parse(rest)?;
        return Some(Num::Decimal(if negative { number.negate() } else { number }));
    }
    if lower.bytes().all(|b| b.is_ascii_digit()) && !lower.is_empty() && lower.len() < 30 {
        let n = int(lower.parse().ok()?)?;
        return Some(match n {
            Num::Int(n, _) if long => Num::Int(n, Rank::Int64),
            n => n,
        });
    }
    let number = parse_float(&lower)?;
    #[allow(clippy::cast_precision_loss)]
    Some(Num::Float(if negative { -number } else { number } * multiplier as f64))
}

/// `1.5`, `.5`, `1e3`: digits, at most one point, an exponent. Nothing that Rust alone would accept (`inf`, `nan`).
pub fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-' | b'e' | b'E'));
    if !plain || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Groups digits by thousands.
fn grouped(whole: &str) -> String {
    let mut out = String::with_capacity(whole.len() + whole.len() / 3);
    for (at, c) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A fixed number of decimals, halves away from zero, judged by the 15 digits that .NET Framework sees. Sign apart.
fn fixed(number: Num, decimals: usize) -> (bool, String) {
    let text = match number {
        Num::Int(n, _) => n.to_string(),
        Num::Decimal(n) => n.to_string(),
        Num::Float(n) if n.abs() < 1e15 => plain(&general(n, 15)),
        Num::Float(n) => format!("{n:.0}"),
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, &*text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut all: Vec<u8> = whole.bytes().chain(fraction.bytes().chain(std::iter::repeat(b'0')).take(decimals)).collect();
    if fraction.as_bytes().get(decimals).is_some_and(|d| *d >= b'5') {
        let mut at = all.len();
        loop {
            if at == 0 {
                all.insert(0, b'1');
                break;
            }
            at -= 1;
            if all[at] == b'9' {
                all[at] = b'0';
            } else {
                all[at] += 1;
                break;
            }
        }
    }
    let point = all.len() - decimals;
    let whole = String::from_utf8_lossy(&all[..point]).into_owned();
    let fraction = String::from_utf8_lossy(&all[point..]).into_owned();
    let zero = all.iter().all(|b| *b == b'0');
    (negative && !zero, if decimals == 0 { whole } else { format!("{whole}.{fraction}") })
}

/// Writes `1.5E-07` without exponent.
fn plain(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once('E') else { return text.to_string() };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.trim_start_matches('-');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).unwrap_or(0) + exponent;
    let body = if point <= 0 {
        format!("0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or(0)))
    } else {
        let point = usize::try_from(point).unwrap_or(0);
        if point >= digits.len() {
            format!("{digits}{}", "0".repeat(point - digits.len()))
        } else {
            format!("{}.{}", &digits[..point], &digits[point..])
        }
    };
    if negative { format!("-{body}") } else { body }
}

fn zero_padded(digits: &str, width: usize) -> String {
    format!("{}{digits}", "0".repeat(width.saturating_sub(digits.len())))
}

fn scientific(value: f64, decimals: usize, letter: char, width: usize) -> String {
    let text = format!("{value:.decimals$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{mantissa}{letter}{}{:0width$}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// Formats a number with a standard or custom .NET format under en-US; `None` when the format is invalid for it.
pub fn format(number: Num, format: &str, hex_bits: u32) -> Option<String> {
    let mut chars = format.chars();
    let letter = chars.next()?;
    let digits = chars.as_str();
    if letter.is_ascii_alphabetic() && digits.len() <= 2 && digits.bytes().all(|b| b.is_ascii_digit()) {
        let precision = if digits.is_empty() { None } else { digits.parse::<usize>().ok() };
        let is_int = matches!(number, Num::Int(..));
        return match letter.to_ascii_uppercase() {
            'N' => {
                let (negative, text) = fixed(number, precision.unwrap_or(2));
                let (whole, fraction) = text.split_once('.').map_or((&*text, None), |(w, f)| (w, Some(f)));
                let body = fraction.map_or_else(|| grouped(whole), |f| format!("{}.{f}", grouped(whole)));
                Some(if negative { format!("-{body}") } else { body })
            }
            'F' => {
                let (negative, text) = fixed(number, precision.unwrap_or(2));
                Some(if negative { format!("-{text}") } else { text })
            }
            'C' => {
                let (negative, text) = fixed(number, precision.unwrap_or(2));
                let (whole, fraction) = text.split_once('.').map_or((&*text, None), |(w, f)| (w, Some(f)));
                let body = fraction.map_or_else(|| grouped(whole), |f| format!("{}.{f}", grouped(whole)));
                Some(if negative { format!("(${body})") } else { format!("${body}") })
            }
            'P' => {
                let percent = match number {
                    Num::Int(n, rank) => Num::Int(n * 100, rank),
                    Num::Float(n) => Num::Float(n * 100.0),
                    Num::Decimal(n) => Num::Decimal(n.mul(Decimal::from_int(100)?)?),
                };
                let (negative, text) = fixed(percent, precision.unwrap_or(2));
                let (whole, fraction) = text.split_once('.').map_or((&*text, None), |(w, f)| (w, Some(f)));
                let body = fraction.map_or_else(|| grouped(whole), |f| format!("{}.{f}", grouped(whole)));
                Some(format!("{}{body}%", if negative { "-" } else { "" }))
            }
            'D' if is_int => {
                let Num::Int(n, _) = number else { return None };
                let body = zero_padded(&n.unsigned_abs().to_string(), precision.unwrap_or(1));
                Some(if n < 0 { format!("-{body}") } else { body })
            }
            'X' if is_int => {
                let Num::Int(n, _) = number else { return None };
                #[allow(clippy::cast_sign_loss)]
                let bits = if n < 0 { (n as u128) & ((1u128 << hex_bits) - 1) } else { n as u128 };
                let digits = if letter == 'X' { format!("{bits:X}") } else { format!("{bits:x}") };
                Some(zero_padded(&digits, precision.unwrap_or(1)))
            }
            'E' => Some(scientific(number.to_f64(), precision.unwrap_or(6), letter, 3)),
            'G' => Some(match (number, precision) {
                (Num::Int(n, _), None | Some(0)) => n.to_string(),
                (Num::Decimal(n), None | Some(0)) => n.to_string(),
                (n, p) => general(n.to_f64(), p.filter(|p| *p > 0).unwrap_or(15)),
            }),
            'R' if !is_int => Some(general(number.to_f64(), 15)),
            _ => None,
        };
    }
    Some(custom(number, format))
}

/// Custom formats: `0`, `#`, `.`, `,`, `%`, sections, literals.
fn custom(number: Num, format: &str) -> String {
    let sections: Vec<&str> = split_sections(format);
    let value = number.to_f64();
    let (section, signed) = match sections.len() {
        1 => (sections[0], true),
        2 if value < 0.0 => (sections[1], false),
        3.. if value < 0.0 && !sections[1].is_empty() => (sections[1], false),
        3.. if value == 0.0 => (sections[2], false),
        _ => (sections[0], true),
    };
    let mut number = number;
    let mut tokens: Vec<(char, bool)> = Vec::new(); // character, whether literal
    let mut chars = section.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                for quoted in chars.by_ref() {
                    if quoted == c {
                        break;
                    }
                    tokens.push((quoted, true));
                }
            }
            '\\' => {
                if let Some(next) = chars.next() {
                    tokens.push((next, true));
                }
            }
            '0' | '#' | '.' | ',' => tokens.push((c, false)),
            '%' => {
                number = match number {
                    Num::Int(n, rank) => Num::Int(n * 100, rank),
                    Num::Float(n) => Num::Float(n * 100.0),
                    Num::Decimal(n) => Num::Float(n.to_f64() * 100.0),
                };
                tokens.push((c, true));
            }
            other => tokens.push((other, true)),
        }
    }
    let point = tokens.iter().position(|t| *t == ('.', false));
    let is_digit = |t: &(char, bool)| !t.1 && (t.0 == '0' || t.0 == '#');
    let (before, after) = point.map_or((&tokens[..], &[][..]), |p| (&tokens[..p], &tokens[p + 1..]));
    let last_digit = before.iter().rposition(is_digit);
    let group = before.iter().enumerate().any(|(at, t)| *t == (',', false) && last_digit.is_some_and(|l| at < l));
    let scaled = before.iter().enumerate().filter(|(at, t)| **t == (',', false) && last_digit.is_some_and(|l| *at > l)).count();
    for _ in 0..scaled {
        number = Num::Float(number.to_f64() / 1000.0);
    }
    let decimals = after.iter().filter(|t| is_digit(t)).count();
    let (negative, text) = fixed(number, decimals);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.trim_start_matches('0');
    let zeros = before.iter().position(|t| *t == ('0', false)).map_or(0, |first| before[first..].iter().filter(|t| is_digit(t)).count());
    let padded = format!("{}{whole}", "0".repeat(zeros.saturating_sub(whole.len())));
    let slots = before.iter().filter(|t| is_digit(t)).count();
    let mut out = String::new();
    if negative && signed {
        out.push('-');
    }
    // Digits fill the placeholders from the right; what is left over goes before the first one.
    let digits: Vec<char> = padded.chars().collect();
    let mut seen = 0usize;
    for token in before {
        if token.1 {
            out.push(token.0);
        } else if is_digit(token) {
            let remaining = slots - seen;
            let emit = |index: usize, out: &mut String| {
                out.push(digits[index]);
                let behind = digits.len() - 1 - index;
                if group && behind > 0 && behind.is_multiple_of(3) {
                    out.push(',');
                }
            };
            if seen == 0 {
                for index in 0..digits.len().saturating_sub(slots) {
                    emit(index, &mut out);
                }
            }
            if digits.len() >= remaining {
                emit(digits.len() - remaining, &mut out);
            }
            seen += 1;
        }
    }
    if slots == 0 && point.is_some() && !padded.is_empty() {
        out.push_str(&padded);
    }
    let required = after.iter().filter(|t| is_digit(t)).collect::<Vec<_>>().iter().rposition(|t| t.0 == '0').map_or(0, |at| at + 1);
    let trimmed = fraction.trim_end_matches('0');
    let keep = trimmed.len().max(required);
    if keep > 0 {
        out.push('.');
    }
    let mut used = 0;
    for token in after {
        if token.1 {
            out.push(token.0);
        } else if is_digit(token) {
            if used < keep {
                out.push_str(&fraction[used..=used]);
            }
            used += 1;
        }
    }
    out
}

fn split_sections(format: &str) -> Vec<&str> {
    let (mut sections, mut start, mut quote, mut escaped) = (Vec::new(), 0, None, false);
    for (at, c) in format.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if quote == Some(c) {
            quote = None;
        } else if quote.is_none() && (c == '\'' || c == '"') {
            quote = Some(c);
        } else if quote.is_none() && c == ';' {
            sections.push(&format[start..at]);
            start = at + 1;
        }
    }
    sections.push(&format[start..]);
    sections
}
