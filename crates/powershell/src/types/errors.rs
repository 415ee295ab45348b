//! `ErrorRecord` and exceptions as objects.

use std::sync::Arc;

use super::call::len;
use super::{short_name, type_name};
use crate::convert::to_text;
use crate::error::{ErrorRecord, exception_chain};
use crate::value::{EnumValue, PsObject, Value};

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

/// Properties of error records; the name in lower case.
pub(super) fn property(record: &ErrorRecord, key: &str) -> Option<Value> {
    Some(match key {
        "exception" if record.exception.is_some() => record.exception.as_deref().cloned().unwrap_or(Value::Null),
        "exception" => {
            let exception = exception_object(&record.exception_types, &record.message);
            if let (Value::Object(object), false) = (&exception, record.inner_types.is_empty()) {
                object.set("InnerException", exception_object(&record.inner_types, &record.inner_message()));
            }
            exception
        }
        "fullyqualifiederrorid" => Value::Str(record.id.clone()),
        "targetobject" => record.target.clone(),
        "scriptstacktrace" => Value::Str(record.stack.clone()),
        "errordetails" | "pipelineiterationinfo" => Value::Null,
        "categoryinfo" => {
            let category = super::enumeration("System.Management.Automation.ErrorCategory")?
                .iter()
                .find(|(n, _)| n.eq_ignore_ascii_case(&record.category))
                .map_or(0, |(_, v)| *v);
            let target = to_text(&record.target, " ");
            let kind = if record.target.is_null() { String::new() } else { short_name(&type_name(&record.target)) };
            let activity = std::sync::Arc::<str>::from(record.activity());
            let text = format!("{}: ({target}:{kind}) [{activity}], {}", record.category, record.reason());
            PsObject::new("System.Management.Automation.ErrorCategoryInfo")
                .with(
                    "Category",
                    Value::Enum(Arc::new(EnumValue {
                        type_name: "System.Management.Automation.ErrorCategory".into(),
                        name: record.category.clone(),
                        number: category,
                    })),
                )
                .with("Activity", activity)
                .with("Reason", record.reason())
                .with("TargetName", target)
                .with("TargetType", kind)
                .with_text(text)
                .into()
        }
        "invocationinfo" => {
            let object = PsObject::new("System.Management.Automation.InvocationInfo");
            let command: Value = match &record.command {
                Some(name) => {
                    PsObject::new("System.Management.Automation.CmdletInfo").with("Name", name.clone()).with_text(name.clone()).into()
                }
                None => Value::Null,
            };
            let object = object.with("MyCommand", command).with("InvocationName", record.command.clone().unwrap_or_else(|| "".into()));
            match &record.position {
                None => object.into(),
                Some(position) => {
                    let (line, column) = position.line_column();
                    object
                        .with("ScriptLineNumber", len(line))
                        .with("OffsetInLine", len(column))
                        .with("ScriptName", position.source.name.clone())
                        .with("Line", position.source.line(line))
                        .with(
                            "PositionMessage",
                            format!(
                                "At {}:{line} char:{column}",
                                if position.source.name.is_empty() { "line" } else { &position.source.name }
                            ),
                        )
                        .into()
                }
            }
        }
        _ => return None,
    })
}
