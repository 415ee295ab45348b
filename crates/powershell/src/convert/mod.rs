//! `LanguagePrimitives`: conversions, comparison, arithmetic and string forms of values.
//!
//! Culture is invariant for conversions and en-US for display. The evaluator calls these functions; errors come back
//! as [`ErrorRecord`](crate::error::ErrorRecord) without position. Texts of errors are those of Windows PowerShell 5.1.

mod arithmetic;
mod cast;
mod compare;
pub mod datetime;
mod decimal;
mod format_operator;
pub mod number;
pub mod text;

pub use arithmetic::{Arithmetic, arithmetic, bitwise_not, negate, range};
pub use cast::{cast, cast_resolved, enum_member};
pub use compare::{Comparison, compare, compare_order, equals, order_text};
pub use decimal::Decimal;
pub use format_operator::{format_operator, format_value};
pub use text::{display, shared_text, to_text};

use crate::value::Value;

/// Whether a value counts as true: empty strings, zeros, `$null` and empty collections do not; a collection of one
/// counts as its element.
pub fn to_bool(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Str(text) => !text.is_empty(),
        Value::Char(c) => *c != '\0',
        Value::Int(n) => *n != 0,
        Value::Long(n) => *n != 0,
        Value::Double(n) => *n != 0.0,
        Value::Number(_) => number::as_number(value).is_some_and(|n| n.to_f64() != 0.0),
        Value::Array(_) | Value::List(_) => {
            let items = value.items().unwrap_or_default();
            match items.as_slice() {
                [] => false,
                [one @ (Value::Array(_) | Value::List(_))] => one.collection_len() != Some(0),
                [one] => to_bool(one),
                _ => true,
            }
        }
        _ => true,
    }
}
