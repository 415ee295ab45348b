//! `+ - * / %`, bitwise operators, unary minus and ranges.

use std::sync::Arc;

use super::number::{self, Num, Rank};
use super::{shared_text, to_text};
use crate::error::{ErrorRecord, LimitError};
use crate::limits;
use crate::types::type_name;
use crate::value::{Number, TimeSpan, Value};

/// Arithmetic and bitwise operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `-band`
    And,
    /// `-bor`
    Or,
    /// `-bxor`
    Xor,
    /// `-shl`
    Shl,
    /// `-shr`
    Shr,
}

impl Arithmetic {
    fn method(self) -> &'static str {
        match self {
            Self::Add => "op_Addition",
            Self::Sub => "op_Subtraction",
            Self::Mul => "op_Multiply",
            Self::Div => "op_Division",
            Self::Rem => "op_Modulus",
            Self::And => "op_BitwiseAnd",
            Self::Or => "op_BitwiseOr",
            Self::Xor => "op_ExclusiveOr",
            Self::Shl => "op_LeftShift",
            Self::Shr => "op_RightShift",
        }
    }
}

fn no_operator(op: Arithmetic, left: &Value) -> ErrorRecord {
    ErrorRecord::runtime(
        format!("Method invocation failed because [{}] does not contain a method named '{}'.", operator_type(left), op.method()),
        "MethodNotFound",
        "InvalidOperation",
    )
}

/// Custom objects meet operators in their wrapping.
fn operator_type(value: &Value) -> std::sync::Arc<str> {
    match &*type_name(value) {
        "System.Management.Automation.PSCustomObject" => "System.Management.Automation.PSObject".into(),
        _ => type_name(value),
    }
}

/// What a result beyond the limits says; the limit itself ends the run whoever reads this.
fn too_large(limit: LimitError) -> ErrorRecord {
    ErrorRecord::new(limit.to_string(), "LimitExceeded", "LimitsExceeded", "System.OutOfMemoryException")
}

/// An arithmetic or bitwise operator on two values; the left operand decides.
pub fn arithmetic(op: Arithmetic, left: &Value, right: &Value) -> Result<Value, ErrorRecord> {
    match (op, left, right) {
        (Arithmetic::Add, Value::Int(a), Value::Int(b)) => {
            return Ok(a.checked_add(*b).map_or_else(|| Value::Double(f64::from(*a) + f64::from(*b)), Value::Int));
        }
        (Arithmetic::Sub, Value::Int(a), Value::Int(b)) => {
            return Ok(a.checked_sub(*b).map_or_else(|| Value::Double(f64::from(*a) - f64::from(*b)), Value::Int));
        }
        (Arithmetic::Add, Value::Null, right) => return Ok(right.clone()),
        (Arithmetic::Add, Value::Str(text), right) => {
            let tail = shared_text(right);
            limits::text(text.len() + tail.len()).map_err(too_large)?;
            let mut out = String::with_capacity(text.len() + tail.len());
            out.push_str(text);
            out.push_str(&tail);
            return Ok(Value::str(out));
        }
        (Arithmetic::Add, Value::Char(c), Value::Str(text)) => return Ok(Value::str(format!("{c}{text}"))),
        (Arithmetic::Add, Value::Array(_) | Value::List(_), right) => {
            let mut items = left.items().unwrap_or_default();
            match right.items() {
                Some(more) => items.extend(more),
                None => items.push(right.clone()),
            }
            return Ok(Value::array(items));
        }
        (Arithmetic::Add, Value::Hash(a), right) => return add_tables(a, right),
        (Arithmetic::Mul, Value::Str(text), right) => {
            let times = count(right)?;
            return Ok(Value::str(limits::repeat(text, times).map_err(too_large)?));
        }
        (Arithmetic::Mul, Value::Array(_) | Value::List(_), right) => {
            let items = left.items().unwrap_or_default();
            let times = count(right)?;
            limits::items(items.len().saturating_mul(times)).map_err(too_large)?;
            return Ok(Value::array(items.iter().cloned().cycle().take(items.len() * times).collect()));
        }
        (Arithmetic::Mul, Value::Null, _) => return Ok(Value::Null),
        (_, Value::DateTime(_) | Value::TimeSpan(_), _) => return spans(op, left, right),
        (_, Value::Object(_) | Value::Script(_) | Value::Type(_) | Value::Guid(_) | Value::Version(_) | Value::Error(_), _)
        | (_, Value::Array(_) | Value::List(_) | Value::Hash(_), _) => return Err(no_operator(op, left)),
        _ => {}
    }
    if let Value::Enum(member) = left
        && matches!(op, Arithmetic::And | Arithmetic::Or | Arithmetic::Xor)
    {
        let other = operand(right)?;
        return numeric(op, Num::Int(i128::from(member.number), Rank::Int64), other);
    }
    let a = operand(left)?;
    let b = match right {
        Value::Array(_) | Value::List(_) | Value::Hash(_) => {
            return Err(no_operator(op, right));
        }
        _ => operand(right)?,
    };
    numeric(op, a, b)
}

/// An operand as number: text as literals, `$null` as 0, booleans and characters by their number.
fn operand(value: &Value) -> Result<Num, ErrorRecord> {
    Ok(match value {
        Value::Null => Num::Int(0, Rank::Int32),
        Value::Bool(b) => Num::Int(i128::from(*b), Rank::Int32),
        Value::Char(c) => Num::Int(i128::from(*c as u32), Rank::Int32),
        Value::Enum(member) => Num::Int(i128::from(member.number), Rank::Int32),
        Value::Str(text) => match number::parse_literal(text) {
            Some(number) => number,
            None => return Err(super::cast::bad_number(value, "System.Int32")),
        },
        other => match number::as_number(other) {
            Some(number) => number,
            None => return Err(super::cast::cannot_convert(other, "System.Int32")),
        },
    })
}

fn count(value: &Value) -> Result<usize, ErrorRecord> {
    let Value::Int(n) = super::cast_resolved(value, "System.Int32")? else { return Ok(0) };
    usize::try_from(n).map_err(|_| {
        ErrorRecord::new(
            "Specified argument was out of the range of valid values.\r\nParameter name: times",
            "System.ArgumentOutOfRangeException",
            "OperationStopped",
            "System.ArgumentOutOfRangeException",
        )
    })
}

fn add_tables(a: &Arc<std::sync::RwLock<crate::value::Hashtable>>, right: &Value) -> Result<Value, ErrorRecord> {
    let Value::Hash(b) = right else {
        return Err(ErrorRecord::runtime(
            "A hash table can only be added to another hash table.",
            "AddHashTableToNonHashTable",
            "InvalidOperation",
        ));
    };
    let mut sum = a.read().map(|t| t.clone()).unwrap_or_default();
    let mut other = b.read().map(|t| t.clone()).unwrap_or_default();
    for (name, entry) in std::mem::take(&mut other.entries) {
        if sum.entries.contains_key(&name) {
            let key = to_text(&entry.0, " ");
            return Err(ErrorRecord::new(
                format!("Item has already been added. Key in dictionary: '{key}'  Key being added: '{key}'"),
                "System.ArgumentException",
                "OperationStopped",
                "System.ArgumentException",
            ));
        }
        sum.entries.insert(name, entry);
    }
    Ok(Value::Hash(Arc::new(std::sync::RwLock::new(sum))))
}

fn spans(op: Arithmetic, left: &Value, right: &Value) -> Result<Value, ErrorRecord> {
    let as_span = |value: &Value| match super::cast_resolved(value, "System.TimeSpan") {
        Ok(Value::TimeSpan(span)) => Ok(span.ticks),
        Ok(_) => Ok(0),
        Err(error) => Err(error),
    };
    Ok(match (op, left, right) {
        (Arithmetic::Sub, Value::DateTime(a), Value::DateTime(b)) => Value::TimeSpan(TimeSpan { ticks: a.ticks() - b.ticks() }),
        (Arithmetic::Add, Value::DateTime(a), b) => Value::DateTime(a.plus(as_span(b)?).ok_or_else(unrepresentable)?),
        (Arithmetic::Sub, Value::DateTime(a), Value::Str(_)) => {
            let b = super::cast_resolved(right, "System.DateTime")?;
            return spans(op, &Value::DateTime(*a), &b);
        }
        (Arithmetic::Sub, Value::DateTime(a), b) => Value::DateTime(a.plus(as_span(b)?.saturating_neg()).ok_or_else(unrepresentable)?),
        (Arithmetic::Add, Value::TimeSpan(a), Value::DateTime(b)) => Value::DateTime(b.plus(a.ticks).ok_or_else(unrepresentable)?),
        (Arithmetic::Add, Value::TimeSpan(a), b) => Value::TimeSpan(TimeSpan { ticks: a.ticks.saturating_add(as_span(b)?) }),
        (Arithmetic::Sub, Value::TimeSpan(a), b) => Value::TimeSpan(TimeSpan { ticks: a.ticks.saturating_sub(as_span(b)?) }),
        _ => return Err(no_operator(op, left)),
    })
}

/// A date that no calendar reaches.
fn unrepresentable() -> ErrorRecord {
    ErrorRecord {
        exception_types: crate::error::exception_chain("System.ArgumentOutOfRangeException"),
        ..ErrorRecord::runtime(
            "The added or subtracted value results in an un-representable DateTime.\r\nParameter name: value",
            "System.ArgumentOutOfRangeException",
            "OperationStopped",
        )
    }
}

fn divide_by_zero() -> ErrorRecord {
    ErrorRecord {
        exception_types: crate::error::exception_chain("System.DivideByZeroException"),
        ..ErrorRecord::runtime("Attempted to divide by zero.", "RuntimeException", "NotSpecified")
    }
}

fn numeric(op: Arithmetic, a: Num, b: Num) -> Result<Value, ErrorRecord> {
    use Arithmetic::{Add, And, Div, Mul, Or, Rem, Shl, Shr, Sub, Xor};
    if matches!(op, And | Or | Xor | Shl | Shr) {
        return bitwise(op, a, b);
    }
    let value = match (a, b) {
        (Num::Int(x, rx), Num::Int(y, ry)) => {
            let rank = common_rank(x, rx, y, ry);
            match op {
                Add => x.checked_add(y).map(|n| number::whole(n, rank)),
                Sub => x.checked_sub(y).map(|n| number::whole(n, rank)),
                Mul => x.checked_mul(y).map(|n| number::whole(n, rank)),
                Div | Rem if y == 0 => return Err(divide_by_zero()),
                Rem => Some(number::whole(x % y, rank)),
                _ if x % y == 0 => Some(number::whole(x / y, rank)),
                _ => Some(Value::Double(a.to_f64() / b.to_f64())),
            }
        }
        (Num::Decimal(_), Num::Decimal(_) | Num::Int(..)) | (Num::Int(..), Num::Decimal(_)) => {
            let (Some(x), Some(y)) = (a.to_decimal(), b.to_decimal()) else { return Err(overflow()) };
            let result = match op {
                Add => x.add(y),
                Sub => x.add(y.negate()),
                Mul => x.mul(y),
                Div | Rem if y.is_zero() => return Err(divide_by_zero()),
                Div => x.div(y),
                _ => x.rem(y),
            };
            Some(Value::Number(Number::Decimal(result.ok_or_else(overflow)?)))
        }
        (x, y) => {
            let (x, y) = (x.to_f64(), y.to_f64());
            Some(Value::Double(match op {
                Add => x + y,
                Sub => x - y,
                Mul => x * y,
                Div => x / y,
                _ => x % y,
            }))
        }
    };
    value.ok_or_else(overflow)
}

fn overflow() -> ErrorRecord {
    ErrorRecord {
        exception_types: crate::error::exception_chain("System.OverflowException"),
        ..ErrorRecord::runtime("Value was either too large or too small for a Decimal.", "RuntimeException", "NotSpecified")
    }
}

/// The type in which two whole numbers are computed. Unsigned with a negative partner widens to `Int64`.
fn common_rank(x: i128, rx: Rank, y: i128, ry: Rank) -> Rank {
    let rank = rx.max(ry);
    match rank {
        Rank::UInt32 if x < 0 || y < 0 => Rank::Int64,
        rank => rank,
    }
}

fn bitwise(op: Arithmetic, a: Num, b: Num) -> Result<Value, ErrorRecord> {
    let whole = |n: Num| match n {
        Num::Int(n, rank) => (n, rank),
        #[allow(clippy::cast_possible_truncation)]
        Num::Float(n) => (n.round_ties_even() as i128, if n < 0.0 { Rank::Int64 } else { Rank::UInt64 }),
        Num::Decimal(n) => (n.to_int(), Rank::Int64),
    };
    let ((x, rx), (y, ry)) = (whole(a), whole(b));
    if matches!(op, Arithmetic::Shl | Arithmetic::Shr) {
        let bits = if rx <= Rank::UInt32 { 32 } else { 64 };
        let by = u32::try_from(y.rem_euclid(bits)).unwrap_or(0);
        if op == Arithmetic::Shr {
            return Ok(number::whole(x >> by, rx));
        }
        #[allow(clippy::cast_possible_truncation)]
        return Ok(match rx {
            Rank::Int32 => Value::Int((x as i32).wrapping_shl(by)),
            Rank::UInt32 => Value::Number(Number::UInt32((x as u32).wrapping_shl(by))),
            Rank::Int64 => Value::Long((x as i64).wrapping_shl(by)),
            Rank::UInt64 => Value::Number(Number::UInt64((x as u64).wrapping_shl(by))),
        });
    }
    let n = match op {
        Arithmetic::And => x & y,
        Arithmetic::Or => x | y,
        _ => x ^ y,
    };
    Ok(number::whole(n, common_rank(x, rx, y, ry)))
}

/// Unary minus.
pub fn negate(value: &Value) -> Result<Value, ErrorRecord> {
    match value {
        Value::Double(n) => Ok(Value::Double(-n)),
        Value::TimeSpan(span) => Ok(Value::TimeSpan(TimeSpan { ticks: span.ticks.saturating_neg() })),
        other => arithmetic(Arithmetic::Sub, &Value::Int(0), other),
    }
}

/// `-bnot`.
pub fn bitwise_not(value: &Value) -> Result<Value, ErrorRecord> {
    Ok(match operand(value)? {
        Num::Int(n, Rank::Int32) => number::whole(!n, Rank::Int32),
        Num::Int(n, Rank::UInt32) => number::whole(!n & i128::from(u32::MAX), Rank::UInt32),
        Num::Int(n, Rank::UInt64) => number::whole(!n & i128::from(u64::MAX), Rank::UInt64),
        Num::Int(n, Rank::Int64) => number::whole(!n, Rank::Int64),
        #[allow(clippy::cast_possible_truncation)]
        other => number::whole(!(other.to_f64().round_ties_even() as i128), Rank::Int32),
    })
}

/// `from..to`: whole numbers, up or down.
pub fn range(from: &Value, to: &Value) -> Result<Vec<Value>, ErrorRecord> {
    let end = |value: &Value| match value {
        Value::Str(text) if text.chars().count() == 1 && number::parse_literal(text).is_none() => {
            Err(super::cast::bad_number(value, "System.Int32"))
        }
        value => match super::cast_resolved(value, "System.Int32")? {
            Value::Int(n) => Ok(i64::from(n)),
            _ => Ok(0),
        },
    };
    let (a, b) = (end(from)?, end(to)?);
    limits::items(usize::try_from(a.abs_diff(b)).unwrap_or(usize::MAX).saturating_add(1)).map_err(too_large)?;
    let make = |n: i64| Value::Int(i32::try_from(n).unwrap_or(0));
    Ok(if a <= b { (a..=b).map(make).collect() } else { (b..=a).rev().map(make).collect() })
}
