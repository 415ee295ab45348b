//! Members of values: properties, indexing, method calls, static members, type names.

use std::sync::Arc;

use crate::error::{ErrorRecord, Flow};
use crate::pipeline::Context;
use crate::value::Value;

/// The full .NET name for a type as written between brackets (`int` gives `System.Int32`); `None` when nobody knows it.
pub fn resolve(name: &str) -> Option<Arc<str>> {
    Some(name.into())
}

/// Whether a value is of a type (`-is`); the type as full name.
pub fn is_type(value: &Value, type_name: &str) -> bool {
    let _ = (value, type_name);
    false
}

/// `value.name` for one value; `None` when it has no such member. Member enumeration over arrays is done here too:
/// an array without the member gives the members of its elements.
pub fn property(value: &Value, name: &str) -> Option<Value> {
    let _ = (value, name);
    None
}

/// `value.name = new`. The error is PowerShell's own (`PropertyNotFound` …).
pub fn set_property(value: &Value, name: &str, new: Value) -> Result<(), ErrorRecord> {
    let _ = (value, name, new);
    Ok(())
}

/// `value[indices]`: negative indices, ranges (several indices give an array), hashtable keys, characters of strings.
pub fn index(value: &Value, indices: &[Value]) -> Result<Value, ErrorRecord> {
    let _ = (value, indices);
    Ok(Value::Null)
}

/// `value[index] = new`.
pub fn set_index(value: &Value, index: &[Value], new: Value) -> Result<(), ErrorRecord> {
    let _ = (value, index, new);
    Ok(())
}

/// `value.name(arguments)`. `cx` serves script blocks as arguments and the clock; `None` output is `void`.
pub fn call_method(value: &Value, name: &str, arguments: &[Value], cx: &mut dyn Context) -> Result<Option<Value>, Flow> {
    let _ = (value, name, arguments, cx);
    Ok(None)
}

/// `[type]::name`.
pub fn static_property(type_name: &str, name: &str, cx: &mut dyn Context) -> Result<Value, Flow> {
    let _ = (type_name, name, cx);
    Ok(Value::Null)
}

/// `[type]::name(arguments)`; `new` makes an object.
pub fn call_static(type_name: &str, name: &str, arguments: &[Value], cx: &mut dyn Context) -> Result<Option<Value>, Flow> {
    let _ = (type_name, name, arguments, cx);
    Ok(None)
}
