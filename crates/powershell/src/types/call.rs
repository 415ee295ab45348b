//! One call of a method, static member or constructor, and how its arguments are read.

use std::sync::Arc;

use super::{method_threw, no_overload, short_name};
use crate::convert::{cast_resolved, shared_text};
use crate::error::{ErrorRecord, Flow};
use crate::value::Value;

/// `System.ArgumentOutOfRangeException`.
pub(super) const RANGE: &str = "System.ArgumentOutOfRangeException";
/// `System.ArgumentException`.
pub(super) const ARGUMENT: &str = "System.ArgumentException";
/// `System.FormatException`.
pub(super) const FORMAT: &str = "System.FormatException";
/// `System.InvalidOperationException`.
pub(super) const INVALID: &str = "System.InvalidOperationException";

/// What a member gave; `Some(None)` for methods without result, `None` when the type has no such member.
pub(super) type Found = Result<Option<Option<Value>>, Flow>;

/// A result.
pub(super) fn gives(value: impl Into<Value>) -> Found {
    Ok(Some(Some(value.into())))
}

/// No result.
pub(super) fn void() -> Found {
    Ok(Some(None))
}

/// A whole number as `Int32`.
pub(super) fn len(n: usize) -> Value {
    Value::Int(i32::try_from(n).unwrap_or(i32::MAX))
}

/// A call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// Full name of the type.
    pub(super) class: &'a str,
    /// The member as written.
    pub(super) name: &'a str,
    /// The member in lower case.
    pub(super) lower: &'a str,
    /// The arguments.
    pub(super) arguments: &'a [Value],
}

impl Call<'_> {
    /// Number of arguments.
    pub(super) fn count(&self) -> usize {
        self.arguments.len()
    }

    /// An argument as it is; `$null` when it is missing.
    pub(super) fn value(&self, at: usize) -> &Value {
        self.arguments.get(at).unwrap_or(&Value::Null)
    }

    /// An argument as text.
    pub(super) fn text(&self, at: usize) -> Arc<str> {
        self.arguments.get(at).map_or_else(|| "".into(), shared_text)
    }

    /// An argument as a type, with the error of the method binder when it does not convert.
    pub(super) fn cast(&self, at: usize, parameter: &str, target: &str) -> Result<Value, Flow> {
        let value = self.value(at);
        cast_resolved(value, target).map_err(|error| {
            ErrorRecord {
                decorated: true,
                ..ErrorRecord::new(
                    format!(
                        "Cannot convert argument \"{parameter}\", with value: \"{}\", for \"{}\" to type \"{target}\": \"{}\"",
                        shared_text(value),
                        self.name,
                        error.message
                    ),
                    "MethodArgumentConversionInvalidCastArgument",
                    "NotSpecified",
                    "System.Management.Automation.MethodException",
                )
            }
            .into()
        })
    }

    /// An argument as a 32-bit number; the error names the parameter of the method.
    pub(super) fn int(&self, at: usize, parameter: &str) -> Result<i64, Flow> {
        match self.cast(at, parameter, "System.Int32")? {
            Value::Int(n) => Ok(i64::from(n)),
            _ => Ok(0),
        }
    }

    /// An argument as a 64-bit number.
    pub(super) fn long(&self, at: usize, parameter: &str) -> Result<i64, Flow> {
        match self.cast(at, parameter, "System.Int64")? {
            Value::Long(n) => Ok(n),
            _ => Ok(0),
        }
    }

    /// An argument as a double.
    pub(super) fn double(&self, at: usize, parameter: &str) -> Result<f64, Flow> {
        match self.cast(at, parameter, "System.Double")? {
            Value::Double(n) => Ok(n),
            _ => Ok(0.0),
        }
    }

    /// An argument as truth value.
    pub(super) fn flag(&self, at: usize) -> bool {
        crate::convert::to_bool(self.value(at))
    }

    /// An argument as the number of a member of an enumeration, by name or by number.
    pub(super) fn bits(&self, at: usize, parameter: &str, enumeration: &str) -> Result<i64, Flow> {
        match self.value(at) {
            Value::Enum(member) => Ok(member.number),
            _ => match self.cast(at, parameter, enumeration)? {
                Value::Enum(member) => Ok(member.number),
                _ => Ok(0),
            },
        }
    }

    /// The elements of an argument that is a collection, or the argument itself.
    pub(super) fn items(&self, at: usize) -> Vec<Value> {
        self.value(at).items().unwrap_or_else(|| self.arguments.get(at).cloned().into_iter().collect())
    }

    /// The method threw.
    pub(super) fn threw(&self, reason: &str, exception: &str) -> Flow {
        method_threw(self.name, self.count(), reason, exception).into()
    }

    /// No overload of the method takes so many arguments.
    pub(super) fn overload(&self) -> Flow {
        no_overload(self.name, self.count()).into()
    }

    /// A `Parse` method or conversion failed: the reason of the conversion, as the method throws it.
    pub(super) fn reason_of(&self, error: &ErrorRecord) -> Flow {
        let reason =
            error.message.split_once("Error: \"").map_or_else(|| error.message.to_string(), |(_, r)| r.trim_end_matches('"').to_string());
        let kind = if reason.contains("too large") || reason.contains("out of range") {
            "System.OverflowException"
        } else if reason.contains("Parameter name") {
            ARGUMENT
        } else {
            FORMAT
        };
        let mut record = method_threw(self.name, self.count(), &reason, kind);
        record.id = short_name(kind).into();
        record.into()
    }
}
