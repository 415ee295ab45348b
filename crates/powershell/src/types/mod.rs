//! Members of values: properties, indexing, method calls, static members, type names.

mod access;
mod builder;
mod call;
pub(crate) mod classes;
mod collections;
mod converter;
mod dates;
mod dictionaries;
mod enums;
mod environment;
mod errors;
mod files;
pub mod host;
mod identity;
mod math;
mod members;
mod methods;
mod names;
mod network;
mod random;
pub(crate) mod references;
pub mod regexes;
mod security;
mod statics;
mod strings;
pub mod xml;

use std::sync::Arc;

pub use access::{index, property, property_names, script_property, set_index, set_property};
pub use classes::enum_members;
pub(crate) use dictionaries::{dictionary_entry, entries};
pub use enums::{enumeration, is_flags};
pub(crate) use environment::culture;
pub use errors::exception_object;
pub use methods::call_method;
pub use names::{is_type, resolve, short_name, type_literal_text, type_name, type_names};
pub use security::{credential, secret_of, secure_string};
pub use statics::{call_static, new_object, static_property};

use crate::error::{ErrorRecord, exception_chain};
use crate::value::Value;

/// `Unable to find type [name].`
pub fn type_not_found(name: &str) -> ErrorRecord {
    ErrorRecord::runtime(format!("Unable to find type [{name}]."), "TypeNotFound", "InvalidOperation").with_target(Value::str(name))
}

/// `[regex]'pattern'`.
pub fn make_regex(value: &Value) -> Result<Value, ErrorRecord> {
    if super::types::is_type(value, "System.Text.RegularExpressions.Regex") {
        return Ok(value.clone());
    }
    let text = crate::convert::shared_text(value);
    let pattern = regexes::Pattern::new(&text, regexes::Flags::default()).map_err(|error| error.record(&text, regexes::Asker::Cast))?;
    Ok(regexes::object(Arc::new(pattern)))
}

/// Types that are little more than their text: `[uri]`, `[ipaddress]`, `[mailaddress]`.
pub fn make_text_object(value: &Value, target: &str) -> Result<Value, ErrorRecord> {
    if let Value::Object(object) = value
        && object.is_type(target)
    {
        return Ok(value.clone());
    }
    let text = crate::convert::shared_text(value);
    network::from_text(&text, target).map_err(|reason| ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(
            format!("Cannot convert value \"{text}\" to type \"{target}\". Error: \"{reason}\""),
            "InvalidCastParseTargetInvocation",
            "InvalidArgument",
            "System.Management.Automation.PSInvalidCastException",
        )
    })
}

/// The type that a value names: a type literal, or text.
fn type_of(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Type(full) => Some(full.clone()),
        Value::Str(name) => resolve(name),
        _ => None,
    }
}

/// The error about something that .NET has and we do not; whoever raises it has told the session already.
pub(crate) fn not_modelled(what: &str) -> ErrorRecord {
    ErrorRecord::runtime(format!("{what} is not modelled."), "NotModelled", "NotImplemented")
}

/// A property or parameterized property of .NET that threw.
fn getting_threw(name: &str, reason: &str) -> ErrorRecord {
    ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(
            format!("Exception getting \"{name}\": \"{reason}\""),
            "ExceptionWhenGetting",
            "NotSpecified",
            "System.Management.Automation.GetValueInvocationException",
        )
    }
}

/// The exception of a method of .NET that threw: `Exception calling "M" with "n" argument(s): "…"`.
pub fn method_threw(method: &str, count: usize, reason: &str, exception: &str) -> ErrorRecord {
    ErrorRecord {
        decorated: true,
        inner_types: exception_chain(exception),
        ..ErrorRecord::new(
            format!("Exception calling \"{method}\" with \"{count}\" argument(s): \"{reason}\""),
            short_name(exception),
            "NotSpecified",
            "System.Management.Automation.MethodInvocationException",
        )
    }
}

/// A method that the type does not have.
pub fn method_not_found(type_name: &str, method: &str) -> ErrorRecord {
    ErrorRecord::runtime(
        format!("Method invocation failed because [{type_name}] does not contain a method named '{method}'."),
        "MethodNotFound",
        "InvalidOperation",
    )
    .with_target(Value::str(method))
}

/// No overload takes so many arguments.
pub fn no_overload(method: &str, count: usize) -> ErrorRecord {
    ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(
            format!("Cannot find an overload for \"{method}\" and the argument count: \"{count}\"."),
            "MethodCountCouldNotFindBest",
            "NotSpecified",
            "System.Management.Automation.MethodException",
        )
    }
}
