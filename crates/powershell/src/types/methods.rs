//! Methods of values: which family of types answers, and the methods that everything has.

use std::cmp::Ordering;
use std::sync::Arc;

use super::call::Call;
use super::{
    builder, collections, converter, dates, dictionaries, identity, members, method_not_found, method_threw, network, no_overload, random,
    regexes, security, strings, type_name, xml,
};
use crate::convert::{self, cast_resolved, compare_order, display, equals, format_value, shared_text};
use crate::error::{ErrorRecord, Flow};
use crate::limits;
use crate::pipeline::{BlockCall, BlockScope, Context, VariableScope};
use crate::value::{ListKind, PsObject, ScriptMember, Value};

/// What a method without result returns.
type Outcome = Result<Option<Value>, Flow>;

fn some(value: impl Into<Value>) -> Outcome {
    Ok(Some(value.into()))
}

/// `value.name(arguments)`. `cx` serves script blocks as arguments and the clock; `None` output is `void`.
pub fn call_method(value: &Value, name: &str, arguments: &[Value], cx: &mut dyn Context) -> Outcome {
    // What every list does at once costs nothing more in a long one.
    const AT_ONCE: &[&str] =
        &["add", "push", "pop", "peek", "enqueue", "dequeue", "gettype", "get_item", "set_item", "getvalue", "setvalue"];
    if !AT_ONCE.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        limits::operand(value)?;
    }
    let outcome = call(value, name, arguments, cx)?;
    limits::grown(value)?;
    Ok(outcome)
}

fn call(value: &Value, name: &str, arguments: &[Value], cx: &mut dyn Context) -> Outcome {
    if value.is_null() {
        return Err(ErrorRecord::runtime(
            "You cannot call a method on a null-valued expression.",
            "InvokeMethodOnNull",
            "InvalidOperation",
        )
        .into());
    }
    let lower = name.to_ascii_lowercase();
    if let Value::Object(object) = value
        && let Some(ScriptMember::Method(block)) = object.script_member(name)
    {
        let saved = cx.variable("this").unwrap_or(Value::Null);
        cx.set_variable("this", value.clone(), VariableScope::Local)?;
        let mut results = Vec::new();
        let call = BlockCall { block: &block, underscore: None, arguments: arguments.to_vec(), scope: BlockScope::Child };
        let outcome = cx.call_block(call, &mut |v| {
            results.push(v);
            Ok(())
        });
        cx.set_variable("this", saved, VariableScope::Local)?;
        outcome?;
        return Ok(match results.len() {
            0 => None,
            1 => results.pop(),
            _ => Some(Value::array(results)),
        });
    }
    let class = type_name(value);
    let call = Call { class: &class, name, lower: &lower, arguments };
    let of_the_collection = matches!(call.lower, "gettype" | "equals" | "gethashcode");
    let found = match value {
        Value::Str(text) => strings::methods(text, &call)?,
        Value::Array(_) | Value::List(_) if of_the_collection => None,
        Value::List(list) if list.owner.is_some() => match members::collection_methods(list, &call)? {
            Some(found) => Some(found),
            None => collections::methods(value, &call, cx)?,
        },
        Value::List(list) if matches!(list.kind, ListKind::Collection(_)) => match xml::collection_methods(list, &call)? {
            Some(found) => Some(found),
            None => collections::methods(value, &call, cx)?,
        },
        Value::Array(_) | Value::List(_) => collections::methods(value, &call, cx)?,
        Value::Hash(_) => dictionaries::methods(value, &call)?,
        Value::DateTime(instant) => dates::date_methods(*instant, &call)?,
        Value::TimeSpan(span) => dates::span_methods(*span, &call)?,
        Value::Object(object) => object_method(object, &call, cx)?,
        Value::Script(block) => match lower.as_str() {
            "invoke" | "invokereturnasis" => {
                let mut results = Vec::new();
                let call = BlockCall { block, underscore: None, arguments: arguments.to_vec(), scope: BlockScope::Child };
                cx.call_block(call, &mut |v| {
                    results.push(v);
                    Ok(())
                })?;
                return Ok(Some(Value::array(results)));
            }
            _ => None,
        },
        Value::Type(full) => match lower.as_str() {
            "getelementtype" => Some(Some(full.strip_suffix("[]").map_or(Value::Null, |e| Value::Type(e.into())))),
            "getenumnames" => super::enum_members(full).map(|m| Some(Value::array(m.iter().map(|(n, _)| Value::str(n.clone())).collect()))),
            _ => None,
        },
        Value::Version(parts) => identity::version_methods(parts, &call)?,
        Value::Guid(guid) => identity::guid_methods(*guid, &call)?,
        Value::Char(c) if lower == "tostring" => Some(Some(Value::str(c.to_string()))),
        _ => None,
    };
    match found {
        Some(outcome) => Ok(outcome),
        None => common_method(value, &call, cx),
    }
}

/// Methods that everything has.
fn common_method(value: &Value, call: &Call<'_>, cx: &mut dyn Context) -> Outcome {
    let (name, arguments) = (call.name, call.arguments);
    match (call.lower, arguments) {
        ("tostring", []) => some(display(value)),
        ("tostring", [format, rest @ ..]) => {
            // The last argument may be a culture: en-US and the invariant one are modelled.
            let culture = [format].into_iter().chain(rest).find_map(|a| match a {
                Value::Object(object) if object.is_type("System.Globalization.CultureInfo") => Some(shared_text(a)),
                _ => None,
            });
            let pattern = if matches!(format, Value::Object(_)) { "".into() } else { shared_text(format) };
            if culture.as_deref() == Some("")
                && let Value::DateTime(instant) = value
            {
                return some(convert::datetime::format_invariant(*instant, &pattern).ok_or_else(|| bad_format_text(arguments.len()))?);
            }
            if culture.as_deref() == Some("") && pattern.starts_with(['c', 'C', 'p', 'P']) {
                cx.unmodelled("currency and percent of the invariant culture");
                return Err(super::not_modelled("currency and percent of the invariant culture").into());
            }
            some(format_value(value, &pattern).map_err(|e| bad_format(&e, arguments.len()))?)
        }
        ("gettype", []) => some_type(value),
        ("equals", [other]) => some(type_name(value) == type_name(other) && equals(value, other, true)),
        ("compareto", [other]) => some(match compare_order(value, other, true).map_err(Flow::from)? {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }),
        ("gethashcode", []) => {
            // The numbers of .NET differ from run to run for text; only their equality means something.
            cx.remark("GetHashCode gives numbers of its own");
            let mut hash = 5381i32;
            for byte in display(value).bytes() {
                hash = hash.wrapping_mul(33).wrapping_add(i32::from(byte));
            }
            some(hash)
        }
        ("gettypecode", []) => {
            const CODES: [(&str, i64); 16] = [
                ("Object", 1),
                ("DBNull", 2),
                ("Boolean", 3),
                ("Char", 4),
                ("SByte", 5),
                ("Byte", 6),
                ("Int16", 7),
                ("UInt16", 8),
                ("Int32", 9),
                ("UInt32", 10),
                ("Int64", 11),
                ("UInt64", 12),
                ("Single", 13),
                ("Double", 14),
                ("Decimal", 15),
                ("String", 18),
            ];
            let short = call.class.strip_prefix("System.").unwrap_or(call.class);
            let found = CODES.iter().find(|(n, _)| *n == short).copied();
            let (name, number) = found.or((short == "DateTime").then_some(("DateTime", 16))).unwrap_or(CODES[0]);
            some(Value::Enum(Arc::new(crate::value::EnumValue { type_name: "System.TypeCode".into(), name: name.into(), number })))
        }
        ("hasflag", [other]) => match value {
            Value::Enum(member) => {
                let bits = match cast_resolved(other, &member.type_name)? {
                    Value::Enum(other) => other.number,
                    _ => 0,
                };
                some(member.number & bits == bits)
            }
            _ => Err(method_not_found(&type_name(value), name).into()),
        },
        ("dispose" | "close", []) if matches!(value, Value::Object(_)) => Ok(None),
        ("gettype" | "equals" | "compareto" | "gethashcode", _) => Err(no_overload(name, arguments.len()).into()),
        _ => Err(unknown_method(value, call, cx)),
    }
}

/// A method that nobody knows: an error for the types whose methods are all there and for custom objects, else not modelled.
fn unknown_method(value: &Value, call: &Call<'_>, cx: &mut dyn Context) -> Flow {
    let known = match value {
        Value::Object(object) => {
            object.source.is_none() && object.is_type("System.Management.Automation.PSCustomObject")
                || object
                    .type_names
                    .iter()
                    .any(|t| t.starts_with("Selected.") || t.starts_with("Microsoft.Rtc.") || t.starts_with("Deserialized."))
                || !call.class.starts_with("System.")
        }
        _ => true,
    };
    if known {
        return method_not_found(call.class, call.name).into();
    }
    let what = format!("[{}].{}()", call.class, call.name);
    cx.unmodelled(&what);
    super::not_modelled(&what).into()
}

fn some_type(value: &Value) -> Outcome {
    Ok(Some(Value::Type(type_name(value))))
}

fn bad_format_text(count: usize) -> Flow {
    method_threw("ToString", count, "Input string was not in a correct format.", "System.FormatException").into()
}

fn bad_format(error: &ErrorRecord, count: usize) -> Flow {
    let reason = error.message.trim_start_matches("Error formatting a string: ").trim_end_matches("..").to_string();
    let reason = if reason.ends_with('.') { reason } else { format!("{reason}.") };
    method_threw("ToString", count, &reason, "System.FormatException").into()
}

/// First words of the type name of every CIM instance; `#` and its class follow.
pub(super) const CIM_INSTANCE: &str = "Microsoft.Management.Infrastructure.CimInstance";

/// `CimInstance.Clone()` and the copy constructor: embedded instances are copied too, so that the copy can be edited while
/// the original still describes what there is (`Set-DnsServerResourceRecord -OldInputObject … -NewInputObject …`).
pub(super) fn cim_copy(object: &PsObject) -> Value {
    let copy = PsObject { properties: Arc::default(), ..object.clone() };
    for name in object.names() {
        let value = match object.get(&name) {
            Some(Value::Object(inner)) if inner.type_names.first().is_some_and(|class| class.starts_with(CIM_INSTANCE)) => cim_copy(&inner),
            other => other.unwrap_or(Value::Null),
        };
        copy.set(&name, value);
    }
    copy.into()
}

/// Methods of objects of .NET types.
fn object_method(object: &Arc<PsObject>, call: &Call<'_>, cx: &mut dyn Context) -> Result<Option<Option<Value>>, Flow> {
    let class = object.type_names.first().map_or("", |t| &**t);
    if call.lower == "clone" && call.count() == 0 && class.starts_with(CIM_INSTANCE) {
        return Ok(Some(Some(cim_copy(object))));
    }
    let found = match class {
        class if class.starts_with("System.Text.RegularExpressions.") => regexes::method(object, call, cx)?,
        class if class.starts_with("System.Xml.") => xml::methods(object, call, cx)?,
        "System.Text.StringBuilder" => builder::methods(object, call)?,
        "System.Diagnostics.Stopwatch" => dates::watch_methods(object, call, cx)?,
        "System.Random" => random::methods(object, call)?,
        class if class.starts_with("System.Text.") => converter::encoding_methods(object, call)?,
        "System.Net.IPAddress" | "System.Uri" => network::methods(object, call)?,
        class if class.starts_with("System.Security.") || class.ends_with("Credential") => security::methods(object, call, cx)?,
        class if class.starts_with("System.Management.Automation.PS") => members::methods(object, call)?,
        super::host::USER_INTERFACE => super::host::methods(call, cx)?,
        _ => None,
    };
    if found.is_some() {
        return Ok(found);
    }
    Ok(match (call.lower, call.arguments) {
        // Custom objects say nothing of themselves here; only in text they show their properties.
        ("tostring", _) if object.text.is_none() && class == "System.Management.Automation.PSCustomObject" => Some(Some(Value::str(""))),
        ("tostring", _) => Some(Some(Value::str(display(&Value::Object(object.clone()))))),
        ("getbaseexception", []) if object.is_type("System.Exception") => {
            let mut inner = Value::Object(object.clone());
            while let Some(next @ Value::Object(_)) = super::property(&inner, "InnerException") {
                inner = next;
            }
            Some(Some(inner))
        }
        _ => None,
    })
}
