//! `System.Text.StringBuilder`.

use std::sync::{Arc, RwLock};

use super::call::{Call, FORMAT, Found, RANGE, gives, len};
use crate::convert::{self, shared_text};
use crate::error::{ErrorRecord, Flow, LimitError};
use crate::limits;
use crate::value::{PropertySource, PsObject, Value};

const CLASS: &str = "System.Text.StringBuilder";

/// The text in the making; in UTF-16 units, because its positions count them.
#[derive(Debug, Default)]
struct Builder {
    text: RwLock<Vec<u16>>,
}

impl Builder {
    fn text(&self) -> String {
        self.text.read().map(|text| String::from_utf16_lossy(&text)).unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.text.read().map(|text| text.len()).unwrap_or_default()
    }

    fn edit(&self, edit: impl FnOnce(&mut Vec<u16>)) -> Result<(), LimitError> {
        if let Ok(mut text) = self.text.write() {
            edit(&mut text);
            if let Err(limit) = limits::longer(text.len()) {
                text.clear();
                return Err(limit);
            }
        }
        Ok(())
    }

    fn append(&self, more: &str) -> Result<(), LimitError> {
        self.edit(|text| text.extend(more.encode_utf16()))
    }
}

impl PropertySource for Builder {
    fn names(&self) -> Vec<Arc<str>> {
        ["Capacity", "MaxCapacity", "Length"].map(Into::into).to_vec()
    }

    fn get(&self, name: &str) -> Option<Value> {
        match name.to_ascii_lowercase().as_str() {
            "length" => Some(len(self.len())),
            "capacity" => Some(len(self.len().max(16).next_power_of_two())),
            "maxcapacity" => Some(Value::Int(i32::MAX)),
            _ => None,
        }
    }

    fn set(&self, name: &str, value: &Value) -> Option<Result<(), ErrorRecord>> {
        match name.to_ascii_lowercase().as_str() {
            "length" => {
                let length = match convert::cast_resolved(value, "System.Int32") {
                    Ok(Value::Int(n)) => usize::try_from(n).unwrap_or(0),
                    Ok(_) => 0,
                    Err(error) => return Some(Err(error)),
                };
                let _ = self.edit(|text| text.resize(length, 0));
                Some(Ok(()))
            }
            "capacity" => Some(Ok(())),
            _ => None,
        }
    }

    fn text(&self) -> Option<String> {
        Some(Builder::text(self))
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

/// `[System.Text.StringBuilder]::new(…)`.
pub(super) fn construct(call: &Call<'_>) -> Result<Option<Value>, Flow> {
    let builder = Builder::default();
    if matches!(call.value(0), Value::Str(_)) {
        builder.append(&call.text(0))?;
    }
    let mut object = PsObject::new(CLASS);
    object.source = Some(Arc::new(builder));
    Ok(Some(object.into()))
}

/// Its methods; those that change it return it.
pub(super) fn methods(object: &Arc<PsObject>, call: &Call<'_>) -> Found {
    let Some(builder) = object.source.as_ref().and_then(|s| s.as_any()).and_then(|s| s.downcast_ref::<Builder>()) else { return Ok(None) };
    let range = |at: usize| -> Result<(usize, usize), Flow> {
        let (start, length) = (call.int(at, "startIndex")?, call.int(at + 1, "length")?);
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length)).filter(|end| *end <= builder.len());
        let reason = "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: index";
        end.map(|end| (start, end)).ok_or_else(|| call.threw(reason, RANGE))
    };
    match (call.lower, call.count()) {
        ("append", 1) => builder.append(&match call.value(0) {
            list @ Value::List(_) => list.items().unwrap_or_default().iter().map(|c| shared_text(c).to_string()).collect::<String>(),
            other => convert::display(other),
        })?,
        ("append", 2) => {
            let times = usize::try_from(call.int(1, "repeatCount")?).unwrap_or(0);
            builder.append(&limits::repeat(&call.text(0), times)?)?;
        }
        ("append", 3) => {
            let units: Vec<u16> = call.text(0).encode_utf16().collect();
            let (start, length) = (call.int(1, "startIndex")?, call.int(2, "count")?);
            let start = usize::try_from(start).unwrap_or(usize::MAX);
            let part = units.get(start..start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)));
            let reason =
                "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: startIndex";
            let part = part.ok_or_else(|| call.threw(reason, RANGE))?.to_vec();
            builder.edit(|text| text.extend(part))?;
        }
        ("appendline", 0) => builder.append("\r\n")?,
        ("appendline", 1) => builder.append(&format!("{}\r\n", call.text(0)))?,
        ("appendformat", 2..) => {
            let rest: Vec<Value> = match &call.arguments[1..] {
                [one] => one.items().unwrap_or_else(|| vec![one.clone()]),
                many => many.to_vec(),
            };
            builder.append(&convert::format_operator(&call.text(0), &rest).map_err(|e| {
                let reason = e.message.trim_start_matches("Error formatting a string: ").replace("..", ".");
                call.threw(&reason, FORMAT)
            })?)?;
        }
        ("insert", 2) => {
            let at = usize::try_from(call.int(0, "index")?).ok().filter(|at| *at <= builder.len());
            let reason = "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: index";
            let at = at.ok_or_else(|| call.threw(reason, RANGE))?;
            let units: Vec<u16> = convert::display(call.value(1)).encode_utf16().collect();
            builder.edit(|text| {
                text.splice(at..at, units);
            })?;
        }
        ("remove", 2) => {
            let (start, end) = range(0)?;
            builder.edit(|text| {
                text.drain(start..end);
            })?;
        }
        ("replace", 2) => {
            if call.text(0).is_empty() {
                return Err(call.threw("Empty name is not legal.\r\nParameter name: oldValue", super::call::ARGUMENT));
            }
            let replaced: Vec<u16> = Builder::text(builder).replace(&*call.text(0), &call.text(1)).encode_utf16().collect();
            builder.edit(|text| *text = replaced)?;
        }
        ("clear", 0) => builder.edit(Vec::clear)?,
        ("tostring", 0) => return gives(Builder::text(builder)),
        ("tostring", 2) => {
            let (start, end) = range(0)?;
            return gives(builder.text.read().map(|text| String::from_utf16_lossy(&text[start..end])).unwrap_or_default());
        }
        ("chars" | "get_chars", 1) => return gives(super::index(&Value::str(Builder::text(builder)), &call.arguments[..1])?),
        ("ensurecapacity", 1) => return gives(builder.get("Capacity").unwrap_or(Value::Null)),
        _ => return Ok(None),
    }
    gives(Value::Object(object.clone()))
}
