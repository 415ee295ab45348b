//! Conversion of arguments to the types of parameters, with the binder's messages.

use std::sync::Arc;

use crate::command::{Allowance, CommandInfo, ParameterInfo, ParameterType};
use crate::convert::{cast_resolved, enum_member, number, shared_text};
use crate::error::ErrorRecord;
use crate::types::type_name;
use crate::value::Value;

/// The name of a type in messages.
pub fn type_label(kind: &ParameterType) -> String {
    match kind {
        ParameterType::Object => "System.Object".into(),
        ParameterType::Text(name) | ParameterType::Integer(name, _, _) | ParameterType::Enum(name, _) => name.to_string(),
        ParameterType::Switch => "System.Management.Automation.SwitchParameter".into(),
        ParameterType::Bool => "System.Boolean".into(),
        ParameterType::Double => "System.Double".into(),
        ParameterType::TimeSpan => "System.TimeSpan".into(),
        ParameterType::DateTime => "System.DateTime".into(),
        ParameterType::Guid => "System.Guid".into(),
        ParameterType::ScriptBlock => "System.Management.Automation.ScriptBlock".into(),
        ParameterType::Filter => "System.String".into(),
        ParameterType::Hashtable => "System.Collections.Hashtable".into(),
        ParameterType::Array(element) => format!("{}[]", type_label(element)),
    }
}

/// Whether a value is of the type already: binding without conversion.
pub fn matches_type(value: &Value, kind: &ParameterType) -> bool {
    match (kind, value) {
        (ParameterType::Object, _) => true,
        (ParameterType::Text(name), Value::Str(_)) => &**name == "System.String",
        (ParameterType::Text(name), Value::Object(object)) => object.is_type(name),
        (ParameterType::Filter, Value::Str(_) | Value::Script(_))
        | (ParameterType::Switch | ParameterType::Bool, Value::Bool(_))
        | (ParameterType::Double, Value::Double(_))
        | (ParameterType::TimeSpan, Value::TimeSpan(_))
        | (ParameterType::DateTime, Value::DateTime(_))
        | (ParameterType::Guid, Value::Guid(_))
        | (ParameterType::ScriptBlock, Value::Script(_))
        | (ParameterType::Hashtable, Value::Hash(_)) => true,
        (ParameterType::Integer(name, _, _), value) => **name == *type_name(value),
        (ParameterType::Enum(name, _), Value::Enum(member)) => member.type_name.eq_ignore_ascii_case(name),
        (ParameterType::Array(element), value) => match value {
            Value::Array(_) => **element == ParameterType::Object,
            Value::List(_) => value.items().unwrap_or_default().iter().all(|item| matches_type(item, element)),
            // One element becomes a list of one without being converted.
            one => matches_type(one, element),
        },
        _ => false,
    }
}

/// Why an argument did not convert.
#[derive(Debug)]
pub enum Refusal {
    /// The reason of the conversion, to stand behind `Cannot bind parameter 'X'.`
    Reason(String),
    /// `Cannot convert 'A' to the type 'B' required by parameter 'X'.` with the reason that follows.
    Unsupported(String),
}

/// Converts an argument to the type of a parameter.
pub fn convert_argument(value: &Value, kind: &ParameterType) -> Result<Value, Refusal> {
    let reason = |error: ErrorRecord| Refusal::Reason(error.message.to_string());
    let full = |name: &str| cast_resolved(value, name).map_err(reason);
    match kind {
        ParameterType::Object => Ok(value.clone()),
        ParameterType::Text(_) => match value {
            Value::Str(_) => Ok(value.clone()),
            Value::Null => Ok(Value::str("")),
            Value::Array(_) | Value::List(_) | Value::Hash(_) if value.items().is_some() => {
                match value.items().unwrap_or_default().as_slice() {
                    [one] if one.items().is_none() && !matches!(value, Value::Array(_)) => Ok(Value::Str(shared_text(one))),
                    _ => Err(Refusal::Unsupported("Specified method is not supported.".into())),
                }
            }
            // Objects with an identity of their own stay what they are: the command knows them.
            Value::Object(object) if object.text.is_some() => Ok(Value::Str(shared_text(value))),
            other => Ok(Value::Str(shared_text(other))),
        },
        ParameterType::Switch => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::Null => Ok(Value::Bool(false)),
            other => match number::as_number(other) {
                Some(n) => Ok(Value::Bool(n.to_f64() != 0.0)),
                None => Err(Refusal::Unsupported(String::new())),
            },
        },
        ParameterType::Bool => match value {
            Value::Bool(_) => Ok(value.clone()),
            other => match number::as_number(other) {
                Some(n) => Ok(Value::Bool(n.to_f64() != 0.0)),
                None => Err(Refusal::Reason(format!(
                    "Cannot convert value \"{}\" to type \"System.Boolean\". Boolean parameters accept only Boolean values and numbers, such as \
                     $True, $False, 1 or 0.",
                    if other.is_null() { String::new() } else { type_name(other).to_string() }
                ))),
            },
        },
        ParameterType::Integer(name, low, high) => {
            let converted = full(name)?;
            match number::as_number(&converted) {
                Some(number::Num::Int(n, _)) if (*low..=*high).contains(&n) => Ok(converted),
                _ => Err(Refusal::Reason(format!(
                    "Cannot convert value \"{}\" to type \"{name}\". Error: \"Value was either too large or too small.\"",
                    shared_text(value)
                ))),
            }
        }
        ParameterType::Double => full("System.Double"),
        ParameterType::TimeSpan => full("System.TimeSpan"),
        ParameterType::DateTime => full("System.DateTime"),
        ParameterType::Guid => full("System.Guid"),
        ParameterType::ScriptBlock => full("System.Management.Automation.ScriptBlock"),
        ParameterType::Filter => match value {
            Value::Script(block) => Ok(Value::Str(block.text.clone())),
            other => Ok(Value::Str(shared_text(other))),
        },
        ParameterType::Hashtable => full("System.Collections.Hashtable"),
        ParameterType::Enum(name, members) => {
            if let Some(defined) = crate::types::classes::find(name) {
                return defined.cast_enum(value).map_err(reason);
            }
            let numbered: Vec<(Arc<str>, i64)> = match crate::types::enum_members(name) {
                Some(known) => known,
                None => members.iter().zip(0..).map(|(n, v)| (n.clone(), v)).collect(),
            };
            enum_member(value, name, &numbered).map_err(reason)
        }
        ParameterType::Array(element) => {
            if value.is_null() {
                return Ok(Value::Null);
            }
            let items = value.items().unwrap_or_else(|| vec![value.clone()]);
            let converted = items.iter().map(|item| convert_argument(item, element)).collect::<Result<Vec<_>, _>>()?;
            Ok(match &**element {
                ParameterType::Object => Value::array(converted),
                element => Value::typed_array(&type_label(element), converted),
            })
        }
    }
}

fn refused(function: bool, name: &str, kind: &ParameterType, value: &Value, refusal: Refusal) -> ErrorRecord {
    match refusal {
        Refusal::Reason(reason) if function => ErrorRecord::new(
            format!("Cannot process argument transformation on parameter '{name}'. {reason}"),
            "ParameterArgumentTransformationError",
            "InvalidData",
            "System.Management.Automation.ParameterBindingArgumentTransformationException",
        ),
        Refusal::Reason(reason) => ErrorRecord::new(
            format!("Cannot bind parameter '{name}'. {reason}"),
            "CannotConvertArgumentNoMessage",
            "InvalidArgument",
            "System.Management.Automation.ParameterBindingException",
        ),
        Refusal::Unsupported(reason) if function && reason.is_empty() => ErrorRecord::new(
            format!(
                "Cannot process argument transformation on parameter '{name}'. Cannot convert value \"{}\" to type \"{}\". Boolean parameters accept \
                 only Boolean values and numbers, such as $True, $False, 1 or 0.",
                type_name(value),
                type_label(kind)
            ),
            "ParameterArgumentTransformationError",
            "InvalidData",
            "System.Management.Automation.ParameterBindingArgumentTransformationException",
        ),
        Refusal::Unsupported(_) if function => ErrorRecord::new(
            format!("Cannot process argument transformation on parameter '{name}'. Cannot convert value to type {}.", type_label(kind)),
            "ParameterArgumentTransformationError",
            "InvalidData",
            "System.Management.Automation.ParameterBindingArgumentTransformationException",
        ),
        Refusal::Unsupported(reason) => {
            let tail = if reason.is_empty() { String::new() } else { format!(" {reason}") };
            ErrorRecord::new(
                format!("Cannot convert '{}' to the type '{}' required by parameter '{name}'.{tail}", type_name(value), type_label(kind)),
                "CannotConvertArgument",
                "InvalidArgument",
                "System.Management.Automation.ParameterBindingException",
            )
        }
    }
}

/// Converts for a common parameter.
pub(super) fn common(name: &str, kind: &ParameterType, value: &Value) -> Result<Value, ErrorRecord> {
    convert_argument(value, kind).map_err(|refusal| refused(false, name, kind, value, refusal))
}

/// Converts for a parameter of a command and refuses nothing where something is mandatory.
pub(super) fn for_parameter(info: &CommandInfo, parameter: &ParameterInfo, value: &Value) -> Result<Value, ErrorRecord> {
    let mandatory = parameter.memberships.iter().any(|m| m.mandatory);
    let invalid = |what: &str, id: &str| {
        Err(ErrorRecord::new(
            format!("Cannot bind argument to parameter '{}' because it is {what}.", parameter.name),
            format!("ParameterArgumentValidationError{id}NotAllowed"),
            "InvalidData",
            "System.Management.Automation.ParameterBindingValidationException",
        ))
    };
    let text = matches!(parameter.parameter_type, ParameterType::Text(_) | ParameterType::Filter);
    if mandatory {
        let allows = |what| parameter.allows.contains(&what);
        match value {
            Value::Null if allows(Allowance::Null) || (text && allows(Allowance::EmptyText)) => {}
            Value::Null if text => return invalid("an empty string", "EmptyString"),
            Value::Null if !matches!(parameter.parameter_type, ParameterType::Bool | ParameterType::Switch) => {
                return invalid("null", "Null");
            }
            Value::Str(s) if s.is_empty() && text && !allows(Allowance::EmptyText) => return invalid("an empty string", "EmptyString"),
            Value::Array(_) | Value::List(_) if matches!(parameter.parameter_type, ParameterType::Array(_)) => {
                let items = value.items().unwrap_or_default();
                if items.is_empty() && !allows(Allowance::EmptyCollection) {
                    return invalid("an empty array", "EmptyArray");
                }
                if items.iter().any(Value::is_null) && !allows(Allowance::Null) {
                    return invalid("null", "Null");
                }
                let of_text =
                    matches!(&parameter.parameter_type, ParameterType::Array(element) if matches!(**element, ParameterType::Text(_)));
                if of_text && !allows(Allowance::EmptyText) && items.iter().any(|i| matches!(i, Value::Str(s) if s.is_empty())) {
                    return invalid("an empty string", "EmptyString");
                }
            }
            _ => {}
        }
    }
    // Functions of scripts report what their `[type]` attribute said, commands what the binder said.
    let function = *info.implementing_type == *info.name;
    let kind = &parameter.parameter_type;
    convert_argument(value, kind).map_err(|refusal| refused(function, &parameter.name, kind, value, refusal))
}
