//! `-eq`, `-lt` and their like, and the order that `Sort-Object` uses.

use std::cmp::Ordering;
use std::sync::Arc;

use super::number::{self, Num};
use super::{cast_resolved, shared_text, to_bool, to_text};
use crate::error::ErrorRecord;
use crate::value::Value;

/// Comparison operators that look at order or equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `-eq`
    Eq,
    /// `-ne`
    Ne,
    /// `-gt`
    Gt,
    /// `-ge`
    Ge,
    /// `-lt`
    Lt,
    /// `-le`
    Le,
}

impl Comparison {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
        }
    }
}

/// Compares two values; the left operand decides the type. A collection on the left is filtered.
pub fn compare(op: Comparison, left: &Value, right: &Value, case_sensitive: bool) -> Result<Value, ErrorRecord> {
    if let Some(items) = left.items() {
        let mut kept = Vec::new();
        for item in items {
            if compare_scalar(op, &item, right, case_sensitive)? {
                kept.push(item);
            }
        }
        return Ok(Value::array(kept));
    }
    compare_scalar(op, left, right, case_sensitive).map(Value::Bool)
}

fn compare_scalar(op: Comparison, left: &Value, right: &Value, case_sensitive: bool) -> Result<bool, ErrorRecord> {
    match op {
        Comparison::Eq => Ok(equals(left, right, case_sensitive)),
        Comparison::Ne => Ok(!equals(left, right, case_sensitive)),
        op => Ok(op.holds(compare_order(left, right, case_sensitive)?)),
    }
}

/// Whether two scalars are equal as `-eq` and `-contains` see it; never fails.
pub fn equals(left: &Value, right: &Value, case_sensitive: bool) -> bool {
    match (left, right) {
        (Value::Null, right) => right.is_null(),
        (_, Value::Null) => false,
        (Value::Str(a), Value::Str(b)) => same_text(a, b, case_sensitive),
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Str(a), right) => same_text(a, &shared_text(right), case_sensitive),
        (Value::Bool(a), right) => *a == to_bool(right),
        (Value::Char(a), right) => match right {
            Value::Str(text) if text.chars().count() == 1 => same_text(&a.to_string(), text, case_sensitive),
            Value::Char(b) => same_text(&a.to_string(), &b.to_string(), case_sensitive),
            right => number::as_number(right).is_some_and(|n| n.to_f64() == f64::from(*a as u32)),
        },
        (Value::Array(a), Value::Array(b)) => Arc::ptr_eq(a, b),
        (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b),
        (Value::Hash(a), Value::Hash(b)) => Arc::ptr_eq(a, b),
        (Value::Script(a), Value::Script(b)) => Arc::ptr_eq(a, b),
        (Value::Error(a), Value::Error(b)) => Arc::ptr_eq(a, b),
        (Value::Type(a), Value::Type(b)) => a.eq_ignore_ascii_case(b),
        (Value::Type(a), Value::Str(b)) => crate::types::resolve(b).is_some_and(|b| a.eq_ignore_ascii_case(&b)),
        (Value::Object(a), Value::Object(b)) => match (&a.text, &b.text) {
            _ if Arc::ptr_eq(a, b) => true,
            // Identities such as Fqdn and XdsIdentity are equal by value.
            (Some(x), Some(y)) => a.type_names.first() == b.type_names.first() && x.eq_ignore_ascii_case(y),
            _ => false,
        },
        (Value::Object(a), Value::Str(b)) => a.text.as_ref().is_some_and(|a| same_text(a, b, case_sensitive)),
        (Value::Enum(a), Value::Enum(b)) => a.type_name == b.type_name && a.number == b.number,
        (Value::Enum(a), Value::Str(b)) => {
            a.name.eq_ignore_ascii_case(b.trim())
                || number::parse_literal(b).is_some_and(|n| !b.trim().is_empty() && n == whole_num(a.number))
        }
        (Value::Enum(a), right) => number::as_number(right).is_some_and(|n| numbers(whole_num(a.number), n) == Some(Ordering::Equal)),
        (left, right) if number::as_number(left).is_some() => {
            let Some(a) = number::as_number(left) else { return false };
            numeric_operand(right).and_then(|b| numbers(a, b)) == Some(Ordering::Equal)
        }
        (Value::DateTime(_) | Value::TimeSpan(_) | Value::Guid(_) | Value::Version(_), right) => {
            let Ok(right) = cast_resolved(right, &crate::types::type_name(left)) else { return false };
            match (left, &right) {
                (Value::DateTime(a), Value::DateTime(b)) => a == b,
                (Value::TimeSpan(a), Value::TimeSpan(b)) => a == b,
                (Value::Guid(a), Value::Guid(b)) => a == b,
                (Value::Version(a), Value::Version(b)) => a == b,
                _ => false,
            }
        }
        _ => false,
    }
}

fn whole_num(n: i64) -> Num {
    Num::Int(i128::from(n), number::Rank::Int64)
}

/// The right side of a numeric comparison as a number.
fn numeric_operand(value: &Value) -> Option<Num> {
    match value {
        Value::Bool(b) => Some(whole_num(i64::from(*b))),
        Value::Char(c) => Some(whole_num(i64::from(*c as u32))),
        Value::Str(text) => number::parse_literal(text),
        Value::Enum(member) => Some(whole_num(member.number)),
        Value::Null => Some(whole_num(0)),
        other => number::as_number(other),
    }
}

fn numbers(a: Num, b: Num) -> Option<Ordering> {
    match (a, b) {
        (Num::Int(a, _), Num::Int(b, _)) => Some(a.cmp(&b)),
        (Num::Decimal(_), Num::Decimal(_) | Num::Int(..)) | (Num::Int(..), Num::Decimal(_)) => {
            a.to_decimal()?.partial_cmp(&b.to_decimal()?)
        }
        (a, b) => a.to_f64().partial_cmp(&b.to_f64()),
    }
}

fn same_text(a: &str, b: &str, case_sensitive: bool) -> bool {
    if case_sensitive { a == b } else { crate::value::same_name(a, b) }
}

/// Orders two values as `-lt` does, by the type of the left one; the error is PowerShell's `ComparisonFailure`.
pub fn compare_order(left: &Value, right: &Value, case_sensitive: bool) -> Result<Ordering, ErrorRecord> {
    let failure = |reason: &str| {
        Err(ErrorRecord::runtime(
            format!("Could not compare \"{}\" to \"{}\". Error: \"{reason}\"", to_text(left, " "), to_text(right, " ")),
            "ComparisonFailure",
            "InvalidOperation",
        ))
    };
    match (left, right) {
        (Value::Null, Value::Null) => return Ok(Ordering::Equal),
        // $null stands below everything but negative numbers.
        (Value::Null, right) => {
            return Ok(match number::as_number(right) {
                Some(n) if n.to_f64() < 0.0 => Ordering::Greater,
                _ => Ordering::Less,
            });
        }
        (left, Value::Null) => {
            return Ok(match number::as_number(left) {
                Some(n) if n.to_f64() < 0.0 => Ordering::Less,
                _ => Ordering::Greater,
            });
        }
        (Value::Str(a), right) => return Ok(order_text(a, &shared_text(right), case_sensitive)),
        (Value::Bool(a), right) => return Ok(a.cmp(&to_bool(right))),
        (Value::Char(a), Value::Char(_) | Value::Str(_)) => {
            return Ok(order_text(&a.to_string(), &shared_text(right), case_sensitive));
        }
        (Value::Char(_), right) if number::as_number(right).is_some() => {
            let (a, b) = (numeric_operand(left), numeric_operand(right));
            if let Some(order) = a.zip(b).and_then(|(a, b)| numbers(a, b)) {
                return Ok(order);
            }
        }
        _ => {}
    }
    if let Some(a) = number::as_number(left) {
        return match numeric_operand(right) {
            Some(b) => Ok(numbers(a, b).unwrap_or(Ordering::Equal)),
            None => match cast_resolved(right, &crate::types::type_name(left)) {
                // Numbers convert their partner before they compare.
                Err(error) => Err(error),
                Ok(_) => failure("The objects are not the same type or the object does not implement \"IComparable\"."),
            },
        };
    }
    if let Value::Enum(a) = left {
        return match cast_resolved(right, &a.type_name).or_else(|_| cast_resolved(right, "System.Int64")) {
            Ok(Value::Enum(b)) => Ok(a.number.cmp(&b.number)),
            Ok(Value::Long(b)) => Ok(a.number.cmp(&b)),
            _ => match right {
                Value::Enum(b) => Ok(a.number.cmp(&b.number)),
                _ => failure(&cast_resolved(right, &a.type_name).map_or_else(|e| e.message.to_string(), |_| String::new())),
            },
        };
    }
    if matches!(left, Value::DateTime(_) | Value::TimeSpan(_) | Value::Guid(_) | Value::Version(_)) {
        return match cast_resolved(right, &crate::types::type_name(left)) {
            Ok(right) => Ok(match (left, &right) {
                (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
                (Value::TimeSpan(a), Value::TimeSpan(b)) => a.cmp(b),
                (Value::Guid(a), Value::Guid(b)) => a.cmp(b),
                (Value::Version(a), Value::Version(b)) => a.cmp(b),
                _ => Ordering::Equal,
            }),
            Err(error) => failure(&error.message),
        };
    }
    if let Value::Object(object) = left
        && let Some(text) = &object.text
    {
        return Ok(order_text(text, &shared_text(right), case_sensitive));
    }
    let comparable = matches!(left, Value::Object(a) if matches!(right, Value::Object(b) if Arc::ptr_eq(a, b)));
    if comparable {
        return Ok(Ordering::Equal);
    }
    if let Value::Object(_) = left {
        let (a, b) = (to_text(left, " "), to_text(right, " "));
        return Err(ErrorRecord {
            decorated: true,
            ..ErrorRecord::new(
                format!(
                    "Cannot compare \"{a}\" to \"{b}\" because the objects are not the same type or the object \"{a}\" does not implement \
                     \"IComparable\"."
                ),
                "PSObjectCompareTo",
                "NotSpecified",
                "System.Management.Automation.ExtendedTypeSystemException",
            )
        });
    }
    Err(ErrorRecord::runtime(
        format!("Cannot compare \"{}\" because it is not IComparable.", to_text(left, " ")),
        "NotIcomparable",
        "InvalidOperation",
    ))
}

/// Orders text as Windows does (word sort): hyphens and apostrophes count only between otherwise equal texts, symbols
/// come before digits and digits before letters; case decides last, lower before upper, and only when asked.
pub fn order_text(a: &str, b: &str, case_sensitive: bool) -> Ordering {
    let ignorable = |c: &char| !matches!(c, '-' | '\'');
    fn weight(c: char) -> (u8, char) {
        let class = if matches!(c, '-' | '\'') {
            4
        } else if c.is_alphabetic() {
            3
        } else if c.is_numeric() {
            2
        } else {
            u8::from(!c.is_whitespace())
        };
        (class, if c.is_ascii() { c.to_ascii_lowercase() } else { c.to_lowercase().next().unwrap_or(c) })
    }
    // Accents count only between otherwise equal texts.
    let plain = |c: char| weight(without_accent(c));
    let primary = a.chars().filter(ignorable).map(plain).cmp(b.chars().filter(ignorable).map(plain));
    primary
        .then_with(|| a.chars().map(weight).cmp(b.chars().map(weight)))
        .then_with(|| if case_sensitive { b.cmp(a) } else { Ordering::Equal })
}

/// The letter below the accent, for the letters of western Europe.
fn without_accent(c: char) -> char {
    match c {
        'à'..='å' | 'À'..='Å' => 'a',
        'ç' | 'Ç' => 'c',
        'è'..='ë' | 'È'..='Ë' => 'e',
        'ì'..='ï' | 'Ì'..='Ï' => 'i',
        'ñ' | 'Ñ' => 'n',
        'ò'..='ö' | 'Ò'..='Ö' => 'o',
        'ù'..='ü' | 'Ù'..='Ü' => 'u',
        'ý' | 'ÿ' | 'Ý' => 'y',
        c => c,
    }
}
