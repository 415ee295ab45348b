//! `LanguagePrimitives`: conversions, comparison, arithmetic and string forms of values.
//!
//! Culture is invariant. The evaluator calls these functions; errors come back as [`ErrorRecord`] without position.

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

/// The string form of a value, as `"$x"` and `[string]` give it; arrays join with a blank (or `$OFS`).
pub fn to_text(value: &Value, separator: &str) -> String {
    let _ = separator;
    format!("{value:?}")
}

/// Whether a value counts as true.
pub fn to_bool(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// `[type]value`; the type is the name as written between the brackets (`int`, `string[]`, `System.Int32`, `pscustomobject`).
pub fn cast(value: &Value, type_name: &str) -> Result<Value, ErrorRecord> {
    let _ = type_name;
    Ok(value.clone())
}

/// Compares two values that are not both to be filtered; the left operand decides the type. Arrays on the left filter.
pub fn compare(op: Comparison, left: &Value, right: &Value, case_sensitive: bool) -> Result<Value, ErrorRecord> {
    let _ = (op, left, right, case_sensitive);
    Ok(Value::Null)
}

/// Whether two scalars are equal as `-eq` and `-contains` see it; never fails.
pub fn equals(left: &Value, right: &Value, case_sensitive: bool) -> bool {
    let _ = (left, right, case_sensitive);
    false
}

/// An arithmetic or bitwise operator on two values.
pub fn arithmetic(op: Arithmetic, left: &Value, right: &Value) -> Result<Value, ErrorRecord> {
    let _ = (op, right);
    Ok(left.clone())
}

/// Unary minus (`negate`), unary plus and `-bnot`.
pub fn negate(value: &Value) -> Result<Value, ErrorRecord> {
    Ok(value.clone())
}

/// `-bnot`.
pub fn bitwise_not(value: &Value) -> Result<Value, ErrorRecord> {
    Ok(value.clone())
}

/// `-f`: the left operand is the format, `arguments` its elements.
pub fn format_operator(format: &str, arguments: &[Value]) -> Result<String, ErrorRecord> {
    let _ = arguments;
    Ok(format.to_owned())
}
