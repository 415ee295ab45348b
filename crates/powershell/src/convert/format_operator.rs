//! `-f` and `ToString(format)`.

use super::number::{self, Num, Rank};
use super::{datetime, display, text};
use crate::error::{ErrorRecord, LimitError};
use crate::limits;
use crate::value::{Number, Value};

/// Widest field that a format may ask for.
const MAX_WIDTH: usize = 1_000_000;

fn error(message: &str) -> ErrorRecord {
    ErrorRecord {
        exception_types: crate::error::exception_chain("System.FormatException"),
        ..ErrorRecord::runtime(format!("Error formatting a string: {message}."), "FormatError", "InvalidOperation")
    }
}

/// `-f`: the left operand is the format, `arguments` its elements.
pub fn format_operator(format: &str, arguments: &[Value]) -> Result<String, ErrorRecord> {
    const BAD: &str = "Input string was not in a correct format.";
    const FEW: &str = "Index (zero based) must be greater than or equal to zero and less than the size of the argument list.";
    let chars: Vec<char> = format.chars().collect();
    let mut out = String::with_capacity(format.len() + 16);
    let mut at = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('{', Some('{')) | ('}', Some('}')) => {
                out.push(chars[at]);
                at += 2;
            }
            ('}', _) => return Err(error(BAD)),
            ('{', _) => {
                let end = chars[at..].iter().position(|c| *c == '}').ok_or_else(|| error(BAD))? + at;
                let item: String = chars[at + 1..end].iter().collect();
                let (head, pattern) = item.split_once(':').map_or((&*item, ""), |(h, p)| (h, p));
                let (index, width) = head.split_once(',').map_or((head, "0"), |(i, w)| (i, w));
                let index: usize = index.trim().parse().map_err(|_| error(BAD))?;
                let width: i64 = width.trim().parse().map_err(|_| error(BAD))?;
                let value = arguments.get(index).ok_or_else(|| error(FEW))?;
                let text = format_value(value, pattern)?;
                let wanted = usize::try_from(width.unsigned_abs()).unwrap_or(MAX_WIDTH);
                if wanted >= MAX_WIDTH {
                    return Err(error(BAD));
                }
                let pad = wanted.saturating_sub(text.chars().count());
                if width > 0 {
                    out.extend(std::iter::repeat_n(' ', pad));
                }
                if out.len() > limits::longest() {
                    limits::hit(LimitError::StringSize(limits::longest()));
                    return Ok(out);
                }
                out.push_str(&text);
                if width < 0 {
                    out.extend(std::iter::repeat_n(' ', pad));
                }
                at = end + 1;
            }
            (c, _) => {
                out.push(c);
                at += 1;
            }
        }
    }
    Ok(out)
}

/// One value with a .NET format string under en-US; values without formats ignore it.
pub fn format_value(value: &Value, pattern: &str) -> Result<String, ErrorRecord> {
    if pattern.is_empty() {
        return Ok(display(value));
    }
    let specifier = || error("Format specifier was invalid.");
    match value {
        Value::DateTime(instant) => datetime::format(*instant, pattern).ok_or_else(|| error("Input string was not in a correct format.")),
        Value::TimeSpan(span) => datetime::format_span(*span, pattern).ok_or_else(|| error("Input string was not in a correct format.")),
        Value::Guid(guid) => {
            let dashed = text::guid_text(*guid);
            Ok(match pattern.to_ascii_uppercase().as_str() {
                "N" => dashed.replace('-', ""),
                "D" => dashed,
                "B" => format!("{{{dashed}}}"),
                "P" => format!("({dashed})"),
                _ => {
                    return Err(error("Format String can be only \"D\", \"d\", \"N\", \"n\", \"P\", \"p\", \"B\", \"b\", \"X\" or \"x\"."));
                }
            })
        }
        Value::Enum(member) => Ok(match pattern.to_ascii_uppercase().as_str() {
            "D" => member.number.to_string(),
            "X" => format!("{:08X}", member.number),
            _ => member.name.to_string(),
        }),
        value => match number::as_number(value) {
            Some(n) => number::format(n, pattern, hex_bits(value, n)).ok_or_else(specifier),
            None => Ok(display(value)),
        },
    }
}

fn hex_bits(value: &Value, number: Num) -> u32 {
    match value {
        Value::Number(Number::SByte(_) | Number::Byte(_)) => 8,
        Value::Number(Number::Int16(_) | Number::UInt16(_)) => 16,
        _ if matches!(number, Num::Int(_, Rank::Int32 | Rank::UInt32)) => 32,
        _ => 64,
    }
}
