//! `System.Guid`, `System.Version` and `System.Enum`.

use std::sync::Arc;

use super::call::{ARGUMENT, Call, FORMAT, Found, gives};
use super::strings::bytes;
use crate::convert::cast_resolved;
use crate::convert::text::{guid_text, parse_guid, parse_version};
use crate::error::Flow;
use crate::pipeline::Context;
use crate::value::Value;

const GUID: &str = "System.Guid";
const VERSION: &str = "System.Version";

/// The bytes of a GUID as .NET orders them: the first three parts with their little end first.
fn guid_bytes(guid: u128) -> [u8; 16] {
    let mut raw = guid.to_be_bytes();
    raw[..4].reverse();
    raw[4..6].reverse();
    raw[6..8].reverse();
    raw
}

/// Static members of `[guid]` and `[version]`.
pub(super) fn statics(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let text = call.text(0);
    match (call.class, call.lower, call.count()) {
        (GUID, "newguid", 0) => gives(Value::Guid(cx.world().guid())),
        (GUID | VERSION, "parse", 1) => cast_resolved(&Value::Str(text), call.class).map(|v| Some(Some(v))).map_err(|e| call.reason_of(&e)),
        (GUID, "parseexact", 2) => {
            let wanted = call.text(1).to_ascii_uppercase();
            let plain = !text.contains('-');
            let fits = match wanted.as_str() {
                "N" => plain && text.len() == 32,
                "D" => !plain && text.len() == 36,
                "B" => text.starts_with('{'),
                "P" => text.starts_with('('),
                _ => false,
            };
            match parse_guid(&text).filter(|_| fits) {
                Some(guid) => gives(Value::Guid(guid)),
                None => Err(call.threw("Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).", FORMAT)),
            }
        }
        (GUID, "tryparse", 2) => {
            let made = parse_guid(&text);
            super::references::assign(call.value(1), Value::Guid(made.unwrap_or(0)))?;
            gives(made.is_some())
        }
        (VERSION, "tryparse", 2) => {
            let made = parse_version(&text);
            super::references::assign(call.value(1), made.map_or(Value::Null, Value::Version))?;
            gives(made.is_some())
        }
        _ => Ok(None),
    }
}

/// `[guid]::new(…)`, `[version]::new(…)`.
pub(super) fn construct(call: &Call<'_>) -> Result<Option<Value>, Flow> {
    Ok(Some(match (call.class, call.count()) {
        (GUID, 0) => Value::Guid(0),
        (GUID, 1) if call.value(0).items().is_some() => {
            let raw: [u8; 16] = super::converter::raw(call.value(0))
                .try_into()
                .map_err(|_| call.threw("Byte array for GUID must be exactly 16 bytes long.\r\nParameter name: b", ARGUMENT))?;
            Value::Guid(u128::from_be_bytes(guid_bytes(u128::from_be_bytes(raw))))
        }
        (GUID | VERSION, 1) => cast_resolved(&Value::Str(call.text(0)), call.class).map_err(|e| call.reason_of(&e))?,
        (VERSION, 0) => Value::Version([0, 0, -1, -1]),
        (VERSION, 2..=4) => {
            let mut parts = [-1; 4];
            for (at, slot) in parts.iter_mut().enumerate().take(call.count()) {
                *slot = i32::try_from(call.int(at, ["major", "minor", "build", "revision"][at])?).unwrap_or(-1);
                if *slot < 0 {
                    let reason = format!(
                        "Version's parameters must be greater than or equal to zero.\r\nParameter name: {}",
                        ["major", "minor", "build", "revision"][at]
                    );
                    return Err(call.threw(&reason, super::call::RANGE));
                }
            }
            Value::Version(parts)
        }
        _ => return Ok(None),
    }))
}

/// Methods of GUIDs.
pub(super) fn guid_methods(guid: u128, call: &Call<'_>) -> Found {
    match (call.lower, call.count()) {
        ("tobytearray", 0) => gives(bytes(&guid_bytes(guid))),
        ("tostring", 0) => gives(guid_text(guid)),
        _ => Ok(None),
    }
}

/// Methods of versions.
pub(super) fn version_methods(parts: &[i32; 4], call: &Call<'_>) -> Found {
    let present = parts.iter().filter(|p| **p >= 0).count();
    match (call.lower, call.count()) {
        ("tostring", 1) => {
            let count = call.int(0, "fieldCount")?;
            match usize::try_from(count).ok().filter(|n| *n <= present) {
                Some(n) => gives(parts[..n].iter().map(ToString::to_string).collect::<Vec<_>>().join(".")),
                None => Err(call.threw(&format!("Argument must be between 0 and {present}.\r\nParameter name: fieldCount"), ARGUMENT)),
            }
        }
        ("clone", 0) => gives(Value::Version(*parts)),
        _ => Ok(None),
    }
}

/// Constants of `[guid]`.
pub(super) fn constant(full: &str, lower: &str) -> Option<Value> {
    ((full, lower) == (GUID, "empty")).then_some(Value::Guid(0))
}

/// Static members of enumerations and of `[enum]`; the members of the enumeration with their numbers.
pub(super) fn enum_statics(call: &Call<'_>, members: &[(Arc<str>, i64)], make: &dyn Fn(&str, i64) -> Value) -> Found {
    let text = call.text(0);
    let find = |fold: bool| members.iter().find(|(n, _)| if fold { n.eq_ignore_ascii_case(&text) } else { **n == *text });
    match (call.lower, call.count()) {
        ("getnames", 0) => gives(Value::typed_array("System.String", members.iter().map(|(n, _)| Value::Str(n.clone())).collect())),
        ("getvalues", 0) => gives(members.iter().map(|(n, v)| make(n, *v)).collect::<Vec<_>>()),
        ("getname", 1) => {
            let number = match call.value(0) {
                Value::Enum(member) => member.number,
                _ => call.long(0, "value")?,
            };
            gives(members.iter().find(|(_, v)| *v == number).map_or(Value::Null, |(n, _)| Value::Str(n.clone())))
        }
        ("parse", 1 | 2) => match (find(call.flag(1)), text.trim().parse::<i64>()) {
            (Some((name, number)), _) => gives(make(name, *number)),
            (None, Ok(number)) => {
                gives(members.iter().find(|(_, v)| *v == number).map_or_else(|| make(&number.to_string(), number), |(n, v)| make(n, *v)))
            }
            (None, Err(_)) if text.contains(',') => cast_resolved(call.value(0), call.class).map(|v| Some(Some(v))).map_err(Flow::from),
            (None, Err(_)) => Err(call.threw(&format!("Requested value '{text}' was not found."), ARGUMENT)),
        },
        ("tryparse", 2 | 3) => {
            let fold = call.count() == 3 && call.flag(1);
            let found = find(fold).map(|(n, v)| make(n, *v));
            let ok = found.is_some();
            let zero = members.iter().find(|(_, v)| *v == 0).map_or_else(|| make("0", 0), |(n, v)| make(n, *v));
            super::references::assign(call.value(call.count() - 1), found.unwrap_or(zero))?;
            gives(ok)
        }
        ("isdefined", 1) => gives(match call.value(0) {
            Value::Int(n) => members.iter().any(|(_, v)| *v == i64::from(*n)),
            Value::Enum(member) => members.iter().any(|(_, v)| *v == member.number),
            _ => find(false).is_some(),
        }),
        ("toobject", 1) => {
            let number = call.long(0, "value")?;
            gives(members.iter().find(|(_, v)| *v == number).map_or_else(|| make(&number.to_string(), number), |(n, v)| make(n, *v)))
        }
        ("getunderlyingtype", 0) => gives(Value::Type("System.Int32".into())),
        _ => Ok(None),
    }
}
