//! Number literals.

use super::Parser;
use super::cursor::{ends_word, is_identifier};
use crate::convert::Decimal;
use crate::value::{Number, Value};

/// Bytes of a number literal that are looked at; what is longer is no number.
const LONGEST: usize = 128;

/// A number as scanned: how many bytes, and its value.
struct Scan {
    length: usize,
    value: Value,
}

/// Reads a whole text as a number literal: decimal, `0x`, exponents, the suffixes `l` and `d`, the multipliers `kb` to `pb`.
pub fn parse_number(text: &str) -> Option<Value> {
    let scan = scan(text)?;
    (scan.length == text.len()).then_some(scan.value)
}

fn digits(bytes: &[u8], from: usize, accept: impl Fn(u8) -> bool) -> usize {
    from + bytes[from.min(bytes.len())..].iter().take_while(|b| accept(**b)).count()
}

fn scan(text: &str) -> Option<Scan> {
    let bytes = text.as_bytes();
    let negative = bytes.first() == Some(&b'-');
    let start = usize::from(negative || bytes.first() == Some(&b'+'));
    let mut at;
    let mut real = false;
    let hex = bytes.get(start) == Some(&b'0') && matches!(bytes.get(start + 1), Some(b'x' | b'X'));
    if hex {
        at = digits(bytes, start + 2, |b| b.is_ascii_hexdigit());
        if at == start + 2 {
            return None;
        }
    } else {
        at = digits(bytes, start, |b| b.is_ascii_digit());
        let whole = at - start;
        if bytes.get(at) == Some(&b'.') && bytes.get(at + 1) != Some(&b'.') {
            let end = digits(bytes, at + 1, |b| b.is_ascii_digit());
            // `1.` is a number, `1.foo` is a member access.
            if end > at + 1 || (whole > 0 && !bytes.get(end).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')) {
                real = true;
                at = end;
            }
        }
        if at == start || (whole == 0 && !real) || (whole == 0 && at == start + 1) {
            return None;
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let end = digits(bytes, at + 1 + sign, |b| b.is_ascii_digit());
            if end > at + 1 + sign {
                real = true;
                at = end;
            }
        }
    }
    let body = &text[start..at];
    let mut long = false;
    let mut decimal = false;
    match bytes.get(at) {
        Some(b'l' | b'L') => {
            long = true;
            at += 1;
        }
        Some(b'd' | b'D') if !hex => {
            decimal = true;
            at += 1;
        }
        _ => {}
    }
    let multiplier = match (bytes.get(at).map(u8::to_ascii_lowercase), bytes.get(at + 1).map(u8::to_ascii_lowercase)) {
        (Some(prefix), Some(b'b')) => match prefix {
            b'k' => 1i64 << 10,
            b'm' => 1 << 20,
            b'g' => 1 << 30,
            b't' => 1 << 40,
            b'p' => 1 << 50,
            _ => 1,
        },
        _ => 1,
    };
    if multiplier != 1 {
        at += 2;
    }
    let sign = if negative { -1.0 } else { 1.0 };
    let value = if hex {
        let bits = u64::from_str_radix(body.get(2..)?, 16).ok()?;
        // Hexadecimal literals of eight or sixteen digits wrap, as in PowerShell: 0xFFFFFFFF is -1.
        let wrapped = if body.len() - 2 <= 8 && bits > 0x7fff_ffff { i64::from(u32::try_from(bits).ok()? as i32) } else { bits as i64 };
        integer(if negative { -i128::from(wrapped) } else { i128::from(wrapped) }, multiplier, long)?
    } else if decimal {
        decimal_value(body, negative, multiplier)?
    } else if real {
        Value::Double(sign * body.parse::<f64>().ok()? * multiplier as f64)
    } else {
        match body.parse::<i128>() {
            Ok(number) => integer(if negative { -number } else { number }, multiplier, long)?,
            Err(_) => Value::Double(sign * body.parse::<f64>().ok()? * multiplier as f64),
        }
    };
    Some(Scan { length: at, value })
}

/// The narrowest of Int32, Int64 and Double that holds the product.
fn integer(number: i128, multiplier: i64, long: bool) -> Option<Value> {
    let number = number.checked_mul(i128::from(multiplier))?;
    if !long && let Ok(small) = i32::try_from(number) {
        return Some(Value::Int(small));
    }
    match i64::try_from(number) {
        Ok(wide) => Some(Value::Long(wide)),
        Err(_) if long => None,
        Err(_) => Decimal::from_int(number).map_or(Some(Value::Double(number as f64)), |d| Some(Value::Number(Number::Decimal(d)))),
    }
}

fn decimal_value(body: &str, negative: bool, multiplier: i64) -> Option<Value> {
    let value = Decimal::parse(body)?.mul(Decimal::from_int(i128::from(multiplier))?)?;
    Some(Value::Number(Number::Decimal(if negative { value.negate() } else { value })))
}

impl Parser<'_> {
    /// A number behind a dash, typographic ones included, with the bytes of both.
    pub(crate) fn negative_number_here(&self, dash: char) -> Option<(usize, Value)> {
        if dash == '-' {
            return self.number_here(true);
        }
        let rest = &self.text[self.pos + dash.len_utf8()..];
        let ascii =
            rest.as_bytes().iter().take(LONGEST).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-')).count();
        let scan = scan(&format!("-{}", &rest[..ascii]))?;
        let length = scan.length - 1;
        rest[length..].chars().next().is_none_or(|c| !is_identifier(c)).then_some((length + dash.len_utf8(), scan.value))
    }

    /// A number in expression mode. It must not run into a word (`7z` is a command).
    pub(crate) fn number_here(&self, expression: bool) -> Option<(usize, Value)> {
        let rest = &self.text[self.pos..];
        let ascii =
            rest.as_bytes().iter().take(LONGEST).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-')).count();
        let scan = scan(&rest[..ascii])?;
        let next = rest[scan.length..].chars().next();
        let ends = match next {
            None => true,
            Some(c) if expression => !is_identifier(c),
            Some(c) => ends_word(c),
        };
        ends.then_some((scan.length, scan.value))
    }
}
