//! `[type]value` and the conversions that parameters and operators do on the way.

use std::sync::{Arc, RwLock};

use super::number::{self, Num, Rank};
use super::{Decimal, datetime, shared_text, text, to_bool, to_text};
use crate::error::ErrorRecord;
use crate::types::{self, type_name};
use crate::value::{DateTime, EnumValue, Hashtable, List, ListKind, Number, PsObject, TimeSpan, Value};

const CAST: &str = "System.Management.Automation.RuntimeException";
const TICKS_OUT_OF_RANGE: &str = "Ticks must be between DateTime.MinValue.Ticks and DateTime.MaxValue.Ticks.\r\nParameter name: ticks";

/// A failed conversion with the reason of the inner parser.
fn cannot(value: &Value, target: &str, reason: &str, id: &str) -> ErrorRecord {
    ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(
            format!("Cannot convert value \"{}\" to type \"{target}\". Error: \"{reason}\"", to_text(value, " ")),
            id,
            "InvalidArgument",
            CAST,
        )
    }
}

/// A conversion that does not exist.
pub(super) fn cannot_convert(value: &Value, target: &str) -> ErrorRecord {
    ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(
            format!(
                "Cannot convert the \"{}\" value of type \"{}\" to type \"{target}\".",
                if value.items().is_some() { type_name(value).to_string() } else { to_text(value, " ") },
                type_name(value)
            ),
            "ConvertToFinalInvalidCastException",
            "InvalidArgument",
            CAST,
        )
    }
}

/// Text that is no number.
pub(super) fn bad_number(value: &Value, target: &str) -> ErrorRecord {
    cannot(value, target, "Input string was not in a correct format.", "InvalidCastFromStringToInteger")
}

fn too_large(value: &Value, target: &str) -> ErrorRecord {
    let short = target.rsplit('.').next().unwrap_or(target);
    let article = if short.starts_with('I') { "an" } else { "a" };
    let reason = match short {
        "Byte" => "Value was either too large or too small for an unsigned byte.".to_string(),
        "SByte" => "Value was either too large or too small for a signed byte.".to_string(),
        _ => format!("Value was either too large or too small for {article} {short}."),
    };
    let id = if matches!(value, Value::Str(_)) { "InvalidCastFromStringToInteger" } else { "InvalidCastIConvertible" };
    cannot(value, target, &reason, id)
}

/// `[type]value`; the type is the name as written between the brackets (`int`, `string[]`, `System.Int32`).
pub fn cast(value: &Value, type_name: &str) -> Result<Value, ErrorRecord> {
    match types::resolve(type_name) {
        Some(full) => cast_resolved(value, &full),
        None => Err(types::type_not_found(type_name)),
    }
}

/// A conversion to a type by its full .NET name.
pub fn cast_resolved(value: &Value, target: &str) -> Result<Value, ErrorRecord> {
    if let Some(element) = target.strip_suffix("[]") {
        return cast_array(value, element);
    }
    Ok(match target {
        "System.Object" | "System.Management.Automation.PSObject" | "System.Management.Automation.PSReference" => value.clone(),
        "System.String" => Value::Str(shared_text(value)),
        "System.Boolean" | "System.Management.Automation.SwitchParameter" => Value::Bool(to_bool(value)),
        "System.Int32" => match value {
            Value::Int(_) => value.clone(),
            value => Value::Int(integer(value, target, i128::from(i32::MIN), i128::from(i32::MAX))?.try_into().unwrap_or(0)),
        },
        "System.Int64" => Value::Long(integer(value, target, i128::from(i64::MIN), i128::from(i64::MAX))?.try_into().unwrap_or(0)),
        "System.Byte" => Value::Number(Number::Byte(integer(value, target, 0, 255)?.try_into().unwrap_or(0))),
        "System.SByte" => Value::Number(Number::SByte(integer(value, target, -128, 127)?.try_into().unwrap_or(0))),
        "System.Int16" => Value::Number(Number::Int16(integer(value, target, -32768, 32767)?.try_into().unwrap_or(0))),
        "System.UInt16" => Value::Number(Number::UInt16(integer(value, target, 0, 65535)?.try_into().unwrap_or(0))),
        "System.UInt32" => Value::Number(Number::UInt32(integer(value, target, 0, i128::from(u32::MAX))?.try_into().unwrap_or(0))),
        "System.UInt64" => Value::Number(Number::UInt64(integer(value, target, 0, i128::from(u64::MAX))?.try_into().unwrap_or(0))),
        "System.Double" => Value::Double(float(value, target)?),
        #[allow(clippy::cast_possible_truncation)]
        "System.Single" => Value::Number(Number::Single(float(value, target)? as f32)),
        "System.Decimal" => match number_of(value, target)? {
            Some(n) => Value::Number(Number::Decimal(n.to_decimal().ok_or_else(|| too_large(value, target))?)),
            None => {
                let text = shared_text(value);
                let parsed = if text.trim().is_empty() { Decimal::from_int(0) } else { Decimal::parse(&text) };
                let bad = || cannot(value, target, "Input string was not in a correct format.", "InvalidCastFromStringToDecimal");
                Value::Number(Number::Decimal(parsed.ok_or_else(bad)?))
            }
        },
        // A constructor with one text.
        types::host::CHOICE => match value {
            Value::Str(label) => types::host::choice(label, ""),
            Value::Object(object) if object.type_names.first().is_some_and(|name| &**name == target) => value.clone(),
            other => return scalar_or(other, target),
        },
        "System.Char" => cast_char(value, target)?,
        "System.DateTime" => cast_date(value, target)?,
        "System.TimeSpan" => cast_span(value, target)?,
        "System.Guid" => match value {
            Value::Guid(_) => value.clone(),
            Value::Str(s) => Value::Guid(text::parse_guid(s).ok_or_else(|| {
                let reason = if s.replace(['-', '{', '}', '(', ')'], "").len() == 32 {
                    "Guid string should only contain hexadecimal characters."
                } else {
                    "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."
                };
                cannot(value, target, reason, "InvalidCastParseTargetInvocation")
            })?),
            other => return scalar_or(other, target),
        },
        "System.Version" => match value {
            Value::Version(_) => value.clone(),
            Value::Str(s) => Value::Version(text::parse_version(s).ok_or_else(|| {
                let parts = s.split('.').count();
                let reason = if (2..=4).contains(&parts) {
                    "Input string was not in a correct format."
                } else {
                    "Version string portion was too short or too long.\r\nParameter name: input"
                };
                cannot(value, target, reason, "InvalidCastParseTargetInvocation")
            })?),
            other => return scalar_or(other, target),
        },
        "System.Type" => match value {
            Value::Type(_) => value.clone(),
            Value::Str(name) => match types::resolve(name) {
                Some(full) => Value::Type(full),
                None => {
                    return Err(ErrorRecord {
                        decorated: true,
                        ..ErrorRecord::new(
                            format!("Cannot convert the \"{name}\" value of type \"System.String\" to type \"System.Type\"."),
                            "InvalidCastFromStringToType",
                            "InvalidArgument",
                            CAST,
                        )
                    });
                }
            },
            other => return scalar_or(other, target),
        },
        "System.Array" => match value {
            Value::Array(_) | Value::List(_) => value.clone(),
            Value::Null => Value::Null,
            other => Value::array(vec![other.clone()]),
        },
        "System.Collections.ArrayList" => match value {
            Value::Null => Value::Null,
            Value::List(list) if list.kind == ListKind::ArrayList => value.clone(),
            other => Value::List(List::new(ListKind::ArrayList, other.items().unwrap_or_else(|| vec![other.clone()]))),
        },
        "System.Collections.Hashtable" | "System.Collections.IDictionary" => match value {
            Value::Hash(_) | Value::Null => value.clone(),
            other => return Err(cannot_convert(other, target)),
        },
        "System.Collections.Specialized.OrderedDictionary" => match value {
            Value::Hash(table) => {
                let mut table = table.read().map(|t| t.clone()).unwrap_or_default();
                table.ordered = true;
                Value::Hash(Arc::new(RwLock::new(table)))
            }
            Value::Null => Value::Null,
            other => return Err(cannot_convert(other, target)),
        },
        "System.Management.Automation.PSCustomObject" => match value {
            Value::Hash(table) => custom_object(&table.read().map(|t| t.clone()).unwrap_or_default()),
            other => other.clone(),
        },
        "System.Management.Automation.ScriptBlock" => match value {
            Value::Script(_) | Value::Null => value.clone(),
            other => return Err(cannot_convert(other, target)),
        },
        "System.Text.RegularExpressions.Regex" => return types::make_regex(value),
        "System.Uri" | "System.Net.IPAddress" | "System.Net.Mail.MailAddress" => return types::make_text_object(value, target),
        "System.Xml.XmlDocument" => match value {
            Value::Null => Value::Null,
            other => return types::xml::cast(other),
        },
        "System.Globalization.CultureInfo" => match value {
            Value::Object(_) | Value::Null => value.clone(),
            name => {
                let name = shared_text(name);
                return types::culture(&name).ok_or_else(|| types::not_modelled(&format!("The culture {name}")));
            }
        },
        target
            if matches!(value, Value::Script(_))
                && ["System.Predicate`", "System.Func`", "System.Action`", "System.Comparison`"].iter().any(|d| target.starts_with(d)) =>
        {
            value.clone()
        }
        "System.Void" => Value::Null,
        target => match target.strip_prefix("System.Collections.Generic.List`1[").and_then(|rest| rest.strip_suffix(']')) {
            Some(element) => {
                let items = value.items().unwrap_or_else(|| vec![value.clone()]);
                let items = items.iter().map(|item| cast_resolved(item, element)).collect::<Result<Vec<_>, _>>()?;
                Value::List(List::new(ListKind::Generic(element.into()), items))
            }
            None if types::classes::find(target).is_some_and(|t| t.definition.kind == crate::ast::TypeKind::Enum) => {
                let Some(defined) = types::classes::find(target) else { return Err(cannot_convert(value, target)) };
                return defined.cast_enum(value);
            }
            None => match types::enumeration(target) {
                Some(members) => {
                    let members: Vec<(Arc<str>, i64)> = members.iter().map(|(n, v)| (Arc::from(*n), *v)).collect();
                    return enum_member(value, target, &members);
                }
                None if types::is_type(value, target) || value.is_null() => value.clone(),
                None => return Err(cannot_convert(value, target)),
            },
        },
    })
}

/// A one-element collection stands for its element; anything else has no conversion.
fn scalar_or(value: &Value, target: &str) -> Result<Value, ErrorRecord> {
    match value.items() {
        Some(items) if items.len() == 1 && items[0].items().is_none() => cast_resolved(&items[0], target),
        _ => match value {
            Value::Object(object) if object.text.is_some() => cast_resolved(&Value::Str(shared_text(value)), target),
            Value::Null => Err(ErrorRecord {
                decorated: true,
                ..ErrorRecord::new(format!("Cannot convert null to type \"{target}\"."), "nullToObjectInvalidCast", "InvalidArgument", CAST)
            }),
            _ => Err(cannot_convert(value, target)),
        },
    }
}

fn cast_array(value: &Value, element: &str) -> Result<Value, ErrorRecord> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    if let Value::List(list) = value
        && matches!(&list.kind, ListKind::TypedArray(kind) if kind.eq_ignore_ascii_case(element))
    {
        return Ok(value.clone());
    }
    let items = match (value, element) {
        (Value::Str(text), "System.Char") => text.chars().map(Value::Char).collect(),
        _ => value.items().unwrap_or_else(|| vec![value.clone()]),
    };
    if element == "System.Object" {
        return Ok(if matches!(value, Value::Array(_)) { value.clone() } else { Value::array(items) });
    }
    let converted = items.iter().map(|item| cast_resolved(item, element)).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::typed_array(element, converted))
}

fn custom_object(table: &Hashtable) -> Value {
    let mut object = PsObject::custom();
    for (key, value) in table.entries.values() {
        let name = to_text(key, " ");
        if name.eq_ignore_ascii_case("PSTypeName") {
            object.type_names.insert(0, shared_text(value));
        } else {
            object.set(&name, value.clone());
        }
    }
    object.into()
}

/// The number of a value that is not text; `None` for text.
fn number_of(value: &Value, target: &str) -> Result<Option<Num>, ErrorRecord> {
    Ok(Some(match value {
        Value::Str(_) => return Ok(None),
        Value::Null => Num::Int(0, Rank::Int32),
        Value::Bool(b) => Num::Int(i128::from(*b), Rank::Int32),
        Value::Char(c) => Num::Int(i128::from(*c as u32), Rank::Int32),
        Value::Enum(member) => Num::Int(i128::from(member.number), Rank::Int64),
        Value::Object(object) if object.text.is_some() => return Ok(None),
        other => match number::as_number(other) {
            Some(n) => n,
            None => return Err(cannot_convert(other, target)),
        },
    }))
}

fn integer(value: &Value, target: &str, low: i128, high: i128) -> Result<i128, ErrorRecord> {
    let number = match number_of(value, target)? {
        Some(n) => n,
        None => {
            let text = shared_text(value);
            number::parse_literal(&text).ok_or_else(|| bad_number(value, target))?
        }
    };
    let whole = match number {
        Num::Int(n, _) => n,
        Num::Decimal(n) => n.to_int(),
        #[allow(clippy::cast_possible_truncation)]
        Num::Float(n) if n.is_finite() && n.abs() < 1e30 => n.round_ties_even() as i128,
        Num::Float(_) => return Err(too_large(value, target)),
    };
    if (low..=high).contains(&whole) { Ok(whole) } else { Err(too_large(value, target)) }
}

fn float(value: &Value, target: &str) -> Result<f64, ErrorRecord> {
    match number_of(value, target)? {
        Some(n) => Ok(n.to_f64()),
        None => {
            let text = shared_text(value);
            let text = text.trim();
            if text.is_empty() {
                return Ok(0.0);
            }
            let number = match text {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                text => number::parse_float(&text.replace(',', "")).or_else(|| number::parse_literal(text).map(Num::to_f64)),
            };
            number
                .ok_or_else(|| cannot(value, target, "Input string was not in a correct format.", "InvalidCastFromStringToDoubleOrSingle"))
        }
    }
}

fn cast_char(value: &Value, target: &str) -> Result<Value, ErrorRecord> {
    match value {
        Value::Char(_) => Ok(value.clone()),
        Value::Str(text) => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => Ok(Value::Char(c)),
                _ => Err(cannot(value, target, "String must be exactly one character long.", "InvalidCastParseTargetInvocation")),
            }
        }
        Value::Null => Ok(Value::Char('\0')),
        other => match number::as_number(other) {
            Some(Num::Int(n, _)) => u32::try_from(n).ok().and_then(char::from_u32).map(Value::Char).ok_or_else(|| too_large(value, target)),
            _ => scalar_or(other, target),
        },
    }
}

fn cast_date(value: &Value, target: &str) -> Result<Value, ErrorRecord> {
    Ok(Value::DateTime(match value {
        Value::DateTime(instant) => *instant,
        Value::Str(s) => {
            let today = DateTime::from_nanoseconds(0);
            match datetime::parse(s, today) {
                Some(instant) => instant,
                None => {
                    let unknown = s.char_indices().find(|(_, c)| c.is_alphabetic()).map(|(at, _)| at);
                    let reason = match unknown {
                        Some(at) => {
                            format!("The string was not recognized as a valid DateTime. There is an unknown word starting at index {at}.")
                        }
                        None => "String was not recognized as a valid DateTime.".to_string(),
                    };
                    return Err(cannot(value, target, &reason, "InvalidCastParseTargetInvocationWithFormatProvider"));
                }
            }
        }
        Value::Null => {
            return Err(ErrorRecord {
                decorated: true,
                ..ErrorRecord::new(format!("Cannot convert null to type \"{target}\"."), "nullToObjectInvalidCast", "InvalidArgument", CAST)
            });
        }
        other => match number::as_number(other) {
            Some(Num::Int(ticks, _)) => i64::try_from(ticks)
                .ok()
                .and_then(|ticks| DateTime::from_ticks(ticks, crate::value::DateTimeKind::Unspecified))
                .ok_or_else(|| cannot(value, target, TICKS_OUT_OF_RANGE, "InvalidCastConstructorException"))?,
            _ => return scalar_or(other, target),
        },
    }))
}

fn cast_span(value: &Value, target: &str) -> Result<Value, ErrorRecord> {
    Ok(Value::TimeSpan(match value {
        Value::TimeSpan(span) => *span,
        Value::Str(s) => datetime::parse_span(s).map_err(|error| {
            let reason = if error == datetime::SpanError::Range {
                "The TimeSpan could not be parsed because at least one of the numeric components is out of range or contains too many digits."
            } else {
                "String was not recognized as a valid TimeSpan."
            };
            cannot(value, target, reason, "InvalidCastParseTargetInvocationWithFormatProvider")
        })?,
        other => match number::as_number(other) {
            Some(Num::Int(ticks, _)) => TimeSpan { ticks: i64::try_from(ticks).unwrap_or(0) },
            #[allow(clippy::cast_possible_truncation)]
            Some(n) => TimeSpan { ticks: n.to_f64().round() as i64 },
            None => return scalar_or(other, target),
        },
    }))
}

/// Members of an enumeration of flags together, under their names in the order of their numbers.
fn flags(target: &str, members: &[(Arc<str>, i64)], bits: i64) -> Value {
    let exact = members.iter().find(|(_, n)| *n == bits).map(|(name, _)| name.to_string());
    let name = exact.unwrap_or_else(|| {
        let mut rest = bits;
        let mut names: Vec<&str> = Vec::new();
        for (name, bit) in members.iter().rev() {
            if *bit != 0 && rest & bit == *bit {
                rest &= !bit;
                names.insert(0, name);
            }
        }
        if rest == 0 { names.join(", ") } else { bits.to_string() }
    });
    Value::Enum(Arc::new(EnumValue { type_name: target.into(), name: name.into(), number: bits }))
}

/// A member of an enumeration by name (case does not matter, unique prefixes do), by number, or from itself.
pub fn enum_member(value: &Value, target: &str, members: &[(Arc<str>, i64)]) -> Result<Value, ErrorRecord> {
    let make = |name: Arc<str>, number: i64| Value::Enum(Arc::new(EnumValue { type_name: target.into(), name, number }));
    let list = || members.iter().map(|(n, _)| &**n).collect::<Vec<_>>().join(",");
    let refused = |id: &str| {
        Err(ErrorRecord {
            decorated: true,
            ..ErrorRecord::new(
                format!(
                    "Cannot convert value \"{}\" to type \"{target}\" due to enumeration values that are not valid. Specify one of the following \
                     enumeration values and try again. The possible enumeration values are \"{}\".",
                    to_text(value, " "),
                    list()
                ),
                id,
                "InvalidArgument",
                CAST,
            )
        })
    };
    let by_number = |number: i64| members.iter().find(|(_, n)| *n == number).map(|(name, n)| make(name.clone(), *n));
    match value {
        Value::Enum(member) if member.type_name.eq_ignore_ascii_case(target) => Ok(value.clone()),
        Value::Str(_) | Value::Object(_) => {
            let wanted = shared_text(value);
            let wanted = wanted.trim();
            if let Some((name, number)) = members.iter().find(|(n, _)| n.eq_ignore_ascii_case(wanted)) {
                return Ok(make(name.clone(), *number));
            }
            if wanted.contains(',') && types::is_flags(target) {
                let mut bits = 0;
                for name in wanted.split(',') {
                    match enum_member(&Value::str(name.trim()), target, members)? {
                        Value::Enum(member) => bits |= member.number,
                        _ => return refused("UndefinedIntegerToEnum"),
                    }
                }
                return Ok(flags(target, members, bits));
            }
            if let Ok(number) = wanted.parse::<i64>()
                && let Some(found) = by_number(number)
            {
                return Ok(found);
            }
            let prefixed: Vec<_> = members
                .iter()
                .filter(|(n, _)| !wanted.is_empty() && n.get(..wanted.len()).is_some_and(|p| p.eq_ignore_ascii_case(wanted)))
                .collect();
            let reason = match prefixed.as_slice() {
                [(name, number)] => return Ok(make(name.clone(), *number)),
                [] => format!(
                    "Unable to match the identifier name {wanted} to a valid enumerator name. Specify one of the following enumerator names and try \
                     again:\r\n{}",
                    members.iter().map(|(n, _)| &**n).collect::<Vec<_>>().join(", ")
                ),
                several => format!(
                    "The identifier name {wanted} cannot be processed because it is either too similar or identical to the following enumerator \
                     names: {}. Use a more specific identifier name.",
                    several.iter().map(|(n, _)| &**n).collect::<Vec<_>>().join(", ")
                ),
            };
            let mut error = cannot(value, target, &reason, "SubstringDisambiguationEnumParseThrewAnException");
            error.message = format!("Cannot convert value \"{}\" to type \"{target}\". Error: \"{reason}\"", to_text(value, " ")).into();
            Err(error)
        }
        other => match number::as_number(other) {
            Some(Num::Int(n, _)) => match i64::try_from(n).ok().and_then(by_number) {
                Some(found) => Ok(found),
                None if types::is_flags(target) => Ok(flags(target, members, i64::try_from(n).unwrap_or(0))),
                None => refused("UndefinedIntegerToEnum"),
            },
            _ => match other.items() {
                Some(items) if items.len() == 1 => enum_member(&items[0], target, members),
                _ => Err(cannot_convert(other, target)),
            },
        },
    }
}
