//! Members of values: properties, indexing, method calls, static members, type names.

mod access;
mod call;
pub(crate) mod classes;
mod methods;
mod names;
pub mod regexes;
mod statics;

use std::sync::Arc;

pub use access::{index, property, property_names, script_property, set_index, set_property};
pub use classes::enum_members;
pub use methods::call_method;
pub(crate) use methods::dictionary_entry;
pub use names::{enumeration, is_flags, is_type, resolve, short_name, type_literal_text, type_name, type_names};
pub use statics::{call_static, new_object, static_property};

use crate::error::{ErrorRecord, exception_chain};
use crate::value::{PsObject, Value};

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
    let object = PsObject::new(target).with_text(text.clone());
    let fail = |reason: &str| ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(
            format!("Cannot convert value \"{text}\" to type \"{target}\". Error: \"{reason}\""),
            "InvalidCastParseTargetInvocation",
            "InvalidArgument",
            "System.Management.Automation.PSInvalidCastException",
        )
    };
    let object = match target {
        "System.Net.IPAddress" => {
            let address: std::net::IpAddr = text.trim().parse().map_err(|_| fail("An invalid IP address was specified."))?;
            let family = if address.is_ipv4() { "InterNetwork" } else { "InterNetworkV6" };
            object.with("AddressFamily", family).with("IPAddressToString", address.to_string()).with_text(address.to_string())
        }
        "System.Uri" => {
            let absolute = text.contains("://") || text.starts_with("sip:") || text.starts_with("tel:") || text.starts_with("mailto:");
            let (scheme, rest) = text.split_once(':').unwrap_or(("", &text));
            let rest = rest.trim_start_matches("//");
            let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
            let (host, port) = authority.rsplit_once(':').map_or((authority, None), |(h, p)| (h, p.parse::<i32>().ok()));
            let default = match scheme {
                "http" => 80,
                "https" => 443,
                _ => -1,
            };
            object
                .with("AbsolutePath", path)
                .with("AbsoluteUri", text.clone())
                .with("Authority", authority)
                .with("Host", host)
                .with("Port", port.unwrap_or(default))
                .with("Scheme", scheme)
                .with("IsAbsoluteUri", absolute)
                .with("OriginalString", text.clone())
        }
        _ => {
            let (user, host) =
                text.split_once('@').ok_or_else(|| fail("The specified string is not in the form required for an e-mail address."))?;
            object.with("User", user).with("Host", host).with("Address", text.clone())
        }
    };
    Ok(object.into())
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

/// The exception object of an error record.
pub fn exception_object(types: &[Arc<str>], message: &Arc<str>) -> Value {
    let mut object = PsObject::new("System.Exception");
    object.type_names = if types.is_empty() { exception_chain("System.Exception") } else { types.to_vec() };
    object.type_names.push("System.Object".into());
    let text = format!("{}: {message}", object.type_names[0]);
    object
        .with("Message", message.clone())
        .with("Data", Value::hashtable(false, []))
        .with("InnerException", Value::Null)
        .with("StackTrace", Value::Null)
        .with("HelpLink", Value::Null)
        .with("Source", Value::Null)
        .with("HResult", -2_146_233_087)
        .with_text(text)
        .into()
}
