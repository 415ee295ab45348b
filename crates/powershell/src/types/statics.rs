//! Static members and constructors.

use std::sync::Arc;

use super::call::Call;
use super::{method_not_found, method_threw, no_overload, regexes, short_name};
use crate::convert::datetime::{self, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE, TICKS_PER_SECOND};
use crate::convert::{self, cast_resolved, number, order_text, shared_text};
use crate::error::{ErrorRecord, Flow};
use crate::pipeline::Context;
use crate::value::{DateTime, EnumValue, List, ListKind, Number, PsObject, TimeSpan, Value};

const STRING: &str = "System.String";

fn full_name(type_name: &str) -> Result<Arc<str>, Flow> {
    super::resolve(type_name).ok_or_else(|| super::type_not_found(type_name).into())
}

fn text(arguments: &[Value], at: usize) -> Arc<str> {
    arguments.get(at).map_or_else(|| "".into(), shared_text)
}

fn int(arguments: &[Value], at: usize) -> Result<i64, Flow> {
    match cast_resolved(arguments.get(at).unwrap_or(&Value::Null), "System.Int64")? {
        Value::Long(n) => Ok(n),
        _ => Ok(0),
    }
}

fn double(arguments: &[Value], at: usize) -> Result<f64, Flow> {
    match cast_resolved(arguments.get(at).unwrap_or(&Value::Null), "System.Double")? {
        Value::Double(n) => Ok(n),
        _ => Ok(0.0),
    }
}

fn unmodelled(full: &str, name: &str, cx: &mut dyn Context) -> Flow {
    cx.unmodelled(&format!("[{full}]::{name}"));
    ErrorRecord::runtime(format!("[{full}]::{name} is not modelled."), "NotModelled", "NotImplemented").into()
}

/// `[type]::name`.
pub fn static_property(type_name: &str, name: &str, cx: &mut dyn Context) -> Result<Value, Flow> {
    let full = full_name(type_name)?;
    let lower = name.to_ascii_lowercase();
    if let Some(members) = super::enum_members(&full) {
        if let Some((member, value)) = members.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            return Ok(Value::Enum(Arc::new(EnumValue { type_name: full, name: member.clone(), number: *value })));
        }
        return Ok(Value::Null);
    }
    let value = match (&*full, lower.as_str()) {
        ("System.Int32", "maxvalue") => Value::Int(i32::MAX),
        ("System.Int32", "minvalue") => Value::Int(i32::MIN),
        ("System.Int64", "maxvalue") => Value::Long(i64::MAX),
        ("System.Int64", "minvalue") => Value::Long(i64::MIN),
        ("System.Byte", "maxvalue") => Value::Number(Number::Byte(u8::MAX)),
        ("System.Byte", "minvalue") => Value::Number(Number::Byte(0)),
        ("System.Int16", "maxvalue") => Value::Number(Number::Int16(i16::MAX)),
        ("System.Int16", "minvalue") => Value::Number(Number::Int16(i16::MIN)),
        ("System.UInt16", "maxvalue") => Value::Number(Number::UInt16(u16::MAX)),
        ("System.UInt32", "maxvalue") => Value::Number(Number::UInt32(u32::MAX)),
        ("System.UInt64", "maxvalue") => Value::Number(Number::UInt64(u64::MAX)),
        ("System.Double", "maxvalue") => Value::Double(f64::MAX),
        ("System.Double", "minvalue") => Value::Double(f64::MIN),
        ("System.Double", "epsilon") => Value::Double(5e-324),
        ("System.Double", "nan") => Value::Double(f64::NAN),
        ("System.Double", "positiveinfinity") => Value::Double(f64::INFINITY),
        ("System.Double", "negativeinfinity") => Value::Double(f64::NEG_INFINITY),
        ("System.String", "empty") => Value::str(""),
        ("System.Guid", "empty") => Value::Guid(0),
        ("System.Math", "pi") => Value::Double(std::f64::consts::PI),
        ("System.Math", "e") => Value::Double(std::f64::consts::E),
        ("System.DateTime", "now") => Value::DateTime(cx.world().now()),
        ("System.DateTime", "utcnow") => Value::DateTime(cx.world().now().with_kind(crate::value::DateTimeKind::Utc)),
        ("System.DateTime", "today") => {
            let now = cx.world().now();
            Value::DateTime(now.plus(-datetime::ticks_in_day(now)).unwrap_or(now))
        }
        ("System.DateTime", "minvalue") => Value::DateTime(DateTime::MIN),
        ("System.DateTime", "maxvalue") => Value::DateTime(DateTime::MAX),
        ("System.TimeSpan", "zero") => Value::TimeSpan(TimeSpan::ZERO),
        ("System.TimeSpan", "maxvalue") => Value::TimeSpan(TimeSpan { ticks: i64::MAX }),
        ("System.TimeSpan", "minvalue") => Value::TimeSpan(TimeSpan { ticks: i64::MIN }),
        ("System.Environment", "newline") => Value::str("\r\n"),
        ("System.Environment", "machinename") => Value::str(short_host(&cx.world().computer_name()).to_ascii_uppercase()),
        ("System.Environment", "username") => Value::str("Administrator"),
        ("System.Environment", "userinteractive") => Value::Bool(true),
        ("System.IO.Path", "directoryseparatorchar") => Value::Char('\\'),
        ("System.IO.Path", "pathseparator") => Value::Char(';'),
        ("System.Net.ServicePointManager", "securityprotocol") => Value::Enum(Arc::new(EnumValue {
            type_name: "System.Net.SecurityProtocolType".into(),
            name: "SystemDefault".into(),
            number: 0,
        })),
        ("System.Net.IPAddress", "loopback") => super::make_text_object(&Value::str("127.0.0.1"), "System.Net.IPAddress")?,
        ("System.Net.IPAddress", "any") => super::make_text_object(&Value::str("0.0.0.0"), "System.Net.IPAddress")?,
        ("System.DBNull", "value") => Value::Null,
        ("System.Text.Encoding", "utf8" | "ascii" | "unicode" | "default" | "bigendianunicode") => {
            PsObject::new("System.Text.Encoding").with("EncodingName", name).with_text(name).into()
        }
        (
            "System.Int32" | "System.Int64" | "System.Double" | "System.String" | "System.Guid" | "System.Math" | "System.DateTime"
            | "System.TimeSpan" | "System.IO.Path" | "System.Byte" | "System.Boolean",
            _,
        ) => Value::Null,
        _ => return Err(unmodelled(&full, name, cx)),
    };
    Ok(value)
}

/// The first label of a computer's name.
fn short_host(fqdn: &str) -> &str {
    fqdn.split('.').next().unwrap_or(fqdn)
}

/// `[type]::name(arguments)`; `new` makes an object.
pub fn call_static(type_name: &str, name: &str, arguments: &[Value], cx: &mut dyn Context) -> Result<Option<Value>, Flow> {
    let full = full_name(type_name)?;
    let lower = name.to_ascii_lowercase();
    let count = arguments.len();
    if lower == "new" {
        return new_object(&full, arguments, cx).map(Some);
    }
    if super::enum_members(&full).is_some() || &*full == "System.Enum" {
        return enum_static(&full, &lower, name, arguments).map(Some);
    }
    let found = match &*full {
        "System.Math" => math(&lower, name, arguments)?,
        "System.String" => string_static(&lower, name, arguments)?,
        "System.DateTime" => date_static(&lower, name, arguments, cx)?,
        "System.TimeSpan" => span_static(&lower, name, arguments)?,
        "System.Convert" => convert_static(&lower, name, arguments)?,
        "System.IO.Path" => path_static(&lower, arguments, cx)?,
        "System.IO.File" => file_static(&lower, name, arguments, cx)?,
        "System.Text.RegularExpressions.Regex" => {
            let call = Call { class: &full, name, lower: &lower, arguments };
            regexes::statics(&call, cx)?.flatten()
        }
        "System.Guid" => match lower.as_str() {
            "newguid" => Some(Value::Guid(cx.world().guid())),
            "parse" => Some(parse(&full, name, arguments)?),
            "tryparse" => None,
            _ => None,
        },
        "System.Char" => {
            let c = text(arguments, 0).chars().next().unwrap_or('\0');
            match lower.as_str() {
                "isdigit" | "isnumber" => Some(Value::Bool(c.is_numeric())),
                "isletter" => Some(Value::Bool(c.is_alphabetic())),
                "isletterordigit" => Some(Value::Bool(c.is_alphanumeric())),
                "iswhitespace" => Some(Value::Bool(c.is_whitespace())),
                "isupper" => Some(Value::Bool(c.is_uppercase())),
                "islower" => Some(Value::Bool(c.is_lowercase())),
                "ispunctuation" => Some(Value::Bool(c.is_ascii_punctuation())),
                "toupper" | "toupperinvariant" => Some(Value::Char(c.to_uppercase().next().unwrap_or(c))),
                "tolower" | "tolowerinvariant" => Some(Value::Char(c.to_lowercase().next().unwrap_or(c))),
                _ => None,
            }
        }
        "System.Array" => match lower.as_str() {
            "indexof" => Some(super::methods::position_of(
                &arguments.first().and_then(Value::items).unwrap_or_default(),
                &arguments[count.min(2) - 1],
            )),
            "reverse" => {
                match arguments.first() {
                    Some(Value::Array(items)) => items.write().map(|mut i| i.reverse()).unwrap_or_default(),
                    Some(Value::List(list)) => list.items.write().map(|mut i| i.reverse()).unwrap_or_default(),
                    _ => {}
                }
                return Ok(None);
            }
            "sort" => {
                let sort =
                    |items: &mut Vec<Value>| items.sort_by(|a, b| convert::compare_order(a, b, false).unwrap_or(std::cmp::Ordering::Equal));
                match arguments.first() {
                    Some(Value::Array(items)) => items.write().map(|mut i| sort(&mut i)).unwrap_or_default(),
                    Some(Value::List(list)) => list.items.write().map(|mut i| sort(&mut i)).unwrap_or_default(),
                    _ => {}
                }
                return Ok(None);
            }
            _ => None,
        },
        "System.Diagnostics.Stopwatch" if lower == "startnew" => {
            let object = new_object(&full, &[], cx)?;
            super::call_method(&object, "Start", &[], cx)?;
            Some(object)
        }
        "System.Environment" if lower == "getenvironmentvariable" => {
            let key = format!("env:{}", text(arguments, 0));
            Some(cx.variable(&key).unwrap_or(Value::Null))
        }
        "System.Environment" => return Err(unmodelled(&full, name, cx)),
        "System.Management.Automation.ScriptBlock" | "System.Net.Dns" => return Err(unmodelled(&full, name, cx)),
        "System.Int32"
        | "System.Int64"
        | "System.Double"
        | "System.Boolean"
        | "System.Decimal"
        | "System.Byte"
        | "System.UInt32"
        | "System.UInt16"
        | "System.Version"
        | "System.Net.IPAddress"
        | "System.Single"
        | "System.Int16"
        | "System.UInt64" => match lower.as_str() {
            "parse" => Some(parse(&full, name, arguments)?),
            "isnullorempty" => None,
            "isnan" => Some(Value::Bool(double(arguments, 0)?.is_nan())),
            "isinfinity" => Some(Value::Bool(double(arguments, 0)?.is_infinite())),
            "tryparse" => {
                let parsed = cast_resolved(&Value::str(text(arguments, 0)), &full);
                let ok = parsed.is_ok() && !text(arguments, 0).is_empty();
                if let Some(Value::Object(reference)) = arguments.get(1) {
                    reference.set("Value", parsed.unwrap_or(Value::Int(0)));
                }
                Some(Value::Bool(ok))
            }
            _ => None,
        },
        "System.Object" if lower == "equals" => {
            Some(Value::Bool(convert::equals(&arguments[0], arguments.get(1).unwrap_or(&Value::Null), true)))
        }
        "System.Object" if lower == "referenceequals" => {
            Some(Value::Bool(convert::equals(&arguments[0], arguments.get(1).unwrap_or(&Value::Null), true)))
        }
        _ => return Err(unmodelled(&full, name, cx)),
    };
    match found {
        Some(value) => Ok(Some(value)),
        None => Err(method_not_found(&full, name).into()),
    }
}

fn parse(full: &str, name: &str, arguments: &[Value]) -> Result<Value, Flow> {
    let source = text(arguments, 0);
    let bad = || method_threw(name, arguments.len(), "Input string was not in a correct format.", "System.FormatException");
    if source.trim().is_empty() {
        return Err(bad().into());
    }
    cast_resolved(&Value::Str(source), full).map_err(|error| {
        let reason =
            error.message.split_once("Error: \"").map_or_else(|| error.message.to_string(), |(_, r)| r.trim_end_matches('"').to_string());
        let kind = if reason.contains("too large") { "System.OverflowException" } else { "System.FormatException" };
        method_threw(name, arguments.len(), &reason, kind).into()
    })
}

fn enum_static(full: &str, lower: &str, name: &str, arguments: &[Value]) -> Result<Value, Flow> {
    let (full, rest): (Arc<str>, &[Value]) = match arguments.first() {
        Some(Value::Type(of)) => (of.clone(), &arguments[1..]),
        _ => (full.into(), arguments),
    };
    let members = super::enum_members(&full).unwrap_or_default();
    let make = |n: &str, v: i64| Value::Enum(Arc::new(EnumValue { type_name: full.clone(), name: n.into(), number: v }));
    Ok(match lower {
        "getnames" => Value::typed_array(STRING, members.iter().map(|(n, _)| Value::str(n.clone())).collect()),
        "getvalues" => Value::array(members.iter().map(|(n, v)| make(n, *v)).collect()),
        "parse" => cast_resolved(rest.first().unwrap_or(&Value::Null), &full)?,
        "isdefined" => Value::Bool(rest.first().is_some_and(|v| members.iter().any(|(n, _)| **n == *shared_text(v)))),
        _ => return Err(method_not_found(&full, name).into()),
    })
}

fn math(lower: &str, name: &str, arguments: &[Value]) -> Result<Option<Value>, Flow> {
    use number::Num;
    let count = arguments.len();
    let first = || -> Result<Num, Flow> {
        match number::as_number(&arguments[0]) {
            Some(n) => Ok(n),
            None => {
                let n = cast_resolved(&arguments[0], "System.Double").map_err(|_| {
                    Flow::from(ErrorRecord {
                        decorated: true,
                        ..ErrorRecord::new(
                            format!(
                                "Cannot convert argument \"a\", with value: \"{}\", for \"{name}\" to type \"System.Double\": \"Cannot convert value \
                                 \"{}\" to type \"System.Double\". Error: \"Input string was not in a correct format.\"\"",
                                shared_text(&arguments[0]),
                                shared_text(&arguments[0])
                            ),
                            "MethodArgumentConversionInvalidCastArgument",
                            "NotSpecified",
                            "System.Management.Automation.MethodException",
                        )
                    })
                })?;
                Ok(number::as_number(&n).unwrap_or(Num::Float(0.0)))
            }
        }
    };
    if count == 0 {
        return Err(no_overload(name, 0).into());
    }
    let d = |at: usize| double(arguments, at);
    Ok(Some(match (lower, count) {
        ("round", 1..=3) => {
            let decimals = match arguments.get(1) {
                Some(Value::Enum(_) | Value::Str(_)) | None => 0,
                Some(_) => u32::try_from(int(arguments, 1)?).unwrap_or(0).min(15),
            };
            let away = arguments
                .last()
                .is_some_and(|a| matches!(a, Value::Enum(_) | Value::Str(_)) && shared_text(a).eq_ignore_ascii_case("AwayFromZero"));
            match first()? {
                Num::Decimal(n) => Value::Number(Number::Decimal(n.round(decimals))),
                // Whole numbers with a number of decimals take the overload for decimals.
                n @ Num::Int(..) if count > 1 => n.to_decimal().map_or(Value::Null, |n| Value::Number(Number::Decimal(n))),
                n => {
                    let n = n.to_f64();
                    let scale = 10f64.powi(i32::try_from(decimals).unwrap_or(0));
                    let scaled = n * scale;
                    let rounded = if away { scaled.round() } else { scaled.round_ties_even() };
                    Value::Double(if scaled.abs() < 1e15 { rounded / scale } else { n })
                }
            }
        }
        ("floor" | "ceiling" | "truncate", 1) => match first()? {
            Num::Decimal(n) => {
                let n = n.to_f64();
                let n = convert::Decimal::from_f64(if lower == "floor" {
                    n.floor()
                } else if lower == "ceiling" {
                    n.ceil()
                } else {
                    n.trunc()
                });
                n.map_or(Value::Null, |n| Value::Number(Number::Decimal(n)))
            }
            n => Value::Double(match lower {
                "floor" => n.to_f64().floor(),
                "ceiling" => n.to_f64().ceil(),
                _ => n.to_f64().trunc(),
            }),
        },
        ("abs", 1) => match first()? {
            Num::Int(n, rank) => number::whole(n.abs(), rank),
            Num::Float(n) => Value::Double(n.abs()),
            Num::Decimal(n) => Value::Number(Number::Decimal(if n.to_f64() < 0.0 { n.negate() } else { n })),
        },
        ("sign", 1) => {
            let n = first()?.to_f64();
            Value::Int(if n > 0.0 { 1 } else { -i32::from(n < 0.0) })
        }
        ("max" | "min", 2) => match (first()?, number::as_number(&arguments[1])) {
            (Num::Int(a, ra), Some(Num::Int(b, rb))) => number::whole(if lower == "max" { a.max(b) } else { a.min(b) }, ra.max(rb)),
            // The overload of the first argument is taken.
            (Num::Int(a, ra), Some(b)) => {
                let b = match cast_resolved(&b.into_value(), "System.Int64")? {
                    Value::Long(b) => i128::from(b),
                    _ => 0,
                };
                number::whole(if lower == "max" { a.max(b) } else { a.min(b) }, ra)
            }
            (a, _) => Value::Double(if lower == "max" { a.to_f64().max(d(1)?) } else { a.to_f64().min(d(1)?) }),
        },
        ("pow", 2) => Value::Double(d(0)?.powf(d(1)?)),
        ("sqrt", 1) => Value::Double(d(0)?.sqrt()),
        ("exp", 1) => Value::Double(d(0)?.exp()),
        ("log", 1) => Value::Double(d(0)?.ln()),
        ("log", 2) => Value::Double(d(0)?.log(d(1)?)),
        ("log10", 1) => Value::Double(d(0)?.log10()),
        ("sin", 1) => Value::Double(d(0)?.sin()),
        ("cos", 1) => Value::Double(d(0)?.cos()),
        ("tan", 1) => Value::Double(d(0)?.tan()),
        ("divrem", 2) => Value::Long(int(arguments, 0)?.checked_div(int(arguments, 1)?).unwrap_or(0)),
        ("round" | "floor" | "ceiling" | "truncate" | "abs" | "max" | "min" | "pow" | "sqrt", _) => {
            return Err(no_overload(name, count).into());
        }
        _ => return Ok(None),
    }))
}

fn string_static(lower: &str, name: &str, arguments: &[Value]) -> Result<Option<Value>, Flow> {
    let count = arguments.len();
    let sign = |o: std::cmp::Ordering| Value::Int(o as i32);
    Ok(Some(match (lower, count) {
        ("isnullorempty", 1) => Value::Bool(text(arguments, 0).is_empty()),
        ("isnullorwhitespace", 1) => Value::Bool(text(arguments, 0).trim().is_empty()),
        ("join", 2..) => {
            let parts: Vec<Arc<str>> = match &arguments[1..] {
                [one] => one.items().unwrap_or_else(|| vec![one.clone()]).iter().map(shared_text).collect(),
                many => many.iter().map(shared_text).collect(),
            };
            Value::str(parts.join(&*text(arguments, 0)))
        }
        ("format", 1..) => {
            let rest: Vec<Value> = match &arguments[1..] {
                [one] => one.items().unwrap_or_else(|| vec![one.clone()]),
                many => many.to_vec(),
            };
            Value::str(convert::format_operator(&text(arguments, 0), &rest).map_err(|e| {
                let reason = e.message.trim_start_matches("Error formatting a string: ").replace("..", ".");
                Flow::from(method_threw(name, count, &reason, "System.FormatException"))
            })?)
        }
        ("concat", _) => Value::str(
            arguments
                .iter()
                .flat_map(|a| a.items().unwrap_or_else(|| vec![a.clone()]))
                .map(|a| shared_text(&a).to_string())
                .collect::<String>(),
        ),
        ("compare", 2) => sign(order_text(&text(arguments, 0), &text(arguments, 1), true)),
        ("compare", 3) => {
            let fold = matches!(arguments[2], Value::Bool(true)) || shared_text(&arguments[2]).contains("IgnoreCase");
            sign(order_text(&text(arguments, 0), &text(arguments, 1), !fold))
        }
        ("compareordinal", 2) => sign(text(arguments, 0).cmp(&text(arguments, 1))),
        ("equals", 2) => Value::Bool(text(arguments, 0) == text(arguments, 1)),
        ("equals", 3) => Value::Bool(convert::equals(
            &Value::Str(text(arguments, 0)),
            &Value::Str(text(arguments, 1)),
            !shared_text(&arguments[2]).contains("IgnoreCase"),
        )),
        ("copy", 1) => Value::Str(text(arguments, 0)),
        _ => return Ok(None),
    }))
}

fn date_static(lower: &str, name: &str, arguments: &[Value], cx: &mut dyn Context) -> Result<Option<Value>, Flow> {
    let count = arguments.len();
    let bad = || {
        let reason = "String was not recognized as a valid DateTime.";
        Flow::from(method_threw(name, count, reason, "System.FormatException"))
    };
    Ok(Some(match (lower, count) {
        ("parse", 1..) => {
            let today = cx.world().now();
            Value::DateTime(datetime::parse(&text(arguments, 0), today).ok_or_else(bad)?)
        }
        ("parseexact", 3..) => {
            let formats = arguments[1].items().unwrap_or_else(|| vec![arguments[1].clone()]);
            let source = text(arguments, 0);
            let today = cx.world().now();
            let parsed =
                formats.iter().find_map(|f| datetime::parse_exact(&source, &shared_text(f), datetime::ParseOptions::default(), today));
            Value::DateTime(parsed.ok_or_else(bad)?)
        }
        ("daysinmonth", 2) => Value::Int(i32::try_from(datetime::days_in_month(int(arguments, 0)?, int(arguments, 1)?)).unwrap_or(0)),
        ("isleapyear", 1) => Value::Bool(datetime::is_leap(int(arguments, 0)?)),
        ("fromfiletime" | "fromfiletimeutc", 1) => {
            let ticks = int(arguments, 0)?.saturating_add(datetime::FILE_TIME_EPOCH);
            Value::DateTime(DateTime::from_ticks(ticks, crate::value::DateTimeKind::Local).ok_or_else(bad)?)
        }
        ("compare", 2) => Value::Int(convert::compare_order(&arguments[0], &arguments[1], true)? as i32),
        ("specifykind", 2) => arguments[0].clone(),
        _ => return Ok(None),
    }))
}

fn span_static(lower: &str, name: &str, arguments: &[Value]) -> Result<Option<Value>, Flow> {
    let unit = match lower {
        "fromdays" => TICKS_PER_DAY,
        "fromhours" => TICKS_PER_HOUR,
        "fromminutes" => TICKS_PER_MINUTE,
        "fromseconds" => TICKS_PER_SECOND,
        "frommilliseconds" => TICKS_PER_MILLISECOND,
        "fromticks" => return Ok(Some(Value::TimeSpan(TimeSpan { ticks: int(arguments, 0)? }))),
        "parse" => return parse("System.TimeSpan", name, arguments).map(Some),
        _ => return Ok(None),
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    // The .NET Framework rounds to whole milliseconds.
    let ticks = (double(arguments, 0)? * (unit / TICKS_PER_MILLISECOND) as f64).round() as i64 * TICKS_PER_MILLISECOND;
    Ok(Some(Value::TimeSpan(TimeSpan { ticks })))
}

fn convert_static(lower: &str, name: &str, arguments: &[Value]) -> Result<Option<Value>, Flow> {
    let count = arguments.len();
    let target = match lower {
        "toint32" => "System.Int32",
        "toint64" => "System.Int64",
        "toint16" => "System.Int16",
        "tobyte" => "System.Byte",
        "touint16" => "System.UInt16",
        "touint32" => "System.UInt32",
        "todouble" => "System.Double",
        "todecimal" => "System.Decimal",
        "todatetime" => "System.DateTime",
        "tochar" => "System.Char",
        "toboolean" => {
            return match arguments.first() {
                Some(Value::Str(s)) if s.trim().eq_ignore_ascii_case("true") => Ok(Some(Value::Bool(true))),
                Some(Value::Str(s)) if s.trim().eq_ignore_ascii_case("false") => Ok(Some(Value::Bool(false))),
                Some(Value::Str(_)) => {
                    Err(method_threw(name, count, "String was not recognized as a valid Boolean.", "System.FormatException").into())
                }
                Some(other) => Ok(Some(Value::Bool(convert::to_bool(other)))),
                None => Err(no_overload(name, 0).into()),
            };
        }
        "tostring" if count == 2 => {
            let (n, base) = (int(arguments, 0)?, int(arguments, 1)?);
            return Ok(Some(Value::str(match base {
                2 => format!("{n:b}"),
                8 => format!("{n:o}"),
                16 => format!("{n:x}"),
                _ => n.to_string(),
            })));
        }
        "tostring" => return Ok(Some(Value::str(convert::display(arguments.first().unwrap_or(&Value::Null))))),
        "tobase64string" => {
            let items = arguments.first().and_then(Value::items).unwrap_or_default();
            let raw: Vec<u8> = items.iter().filter_map(number::as_number).map(|n| n.to_f64() as u8).collect();
            return Ok(Some(Value::str(base64(&raw))));
        }
        "frombase64string" => {
            let raw = unbase64(&text(arguments, 0)).ok_or_else(|| {
                let reason = "The input is not a valid Base-64 string as it contains a non-base 64 character, more than two padding characters, or an \
                              illegal character among the padding characters. ";
                Flow::from(method_threw(name, count, reason, "System.FormatException"))
            })?;
            return Ok(Some(super::access::bytes(&raw)));
        }
        _ => return Ok(None),
    };
    if count == 2 && target.contains("Int") {
        let base = u32::try_from(int(arguments, 1)?).unwrap_or(10);
        let source = text(arguments, 0);
        let parsed = i64::from_str_radix(source.trim_start_matches("0x"), base.clamp(2, 36));
        return match parsed {
            Ok(n) => Ok(Some(cast_resolved(&Value::Long(n), target)?)),
            Err(_) => Err(method_threw(name, count, "Could not find any recognizable digits.", "System.FormatException").into()),
        };
    }
    if matches!(arguments.first(), Some(Value::Str(_))) {
        return parse(target, name, arguments).map(Some);
    }
    Ok(Some(cast_resolved(arguments.first().unwrap_or(&Value::Null), target)?))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len().div_ceil(3) * 4);
    for chunk in raw.chunks(3) {
        let n = u32::from(chunk[0]) << 16 | u32::from(*chunk.get(1).unwrap_or(&0)) << 8 | u32::from(*chunk.get(2).unwrap_or(&0));
        for at in 0..4 {
            if at <= chunk.len() {
                out.push(ALPHABET[(n >> (18 - 6 * at) & 63) as usize] as char);
            } else {
                out.push('=');
            }
        }
    }
    out
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let clean: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    if !clean.len().is_multiple_of(4) {
        return None;
    }
    let body = clean.iter().position(|b| *b == b'=').map_or(&clean[..], |at| &clean[..at]);
    if clean.len() - body.len() > 2 {
        return None;
    }
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for b in body {
        bits = bits << 6 | u32::try_from(ALPHABET.iter().position(|a| a == b)?).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 255) as u8);
        }
    }
    Some(out)
}

fn path_static(lower: &str, arguments: &[Value], cx: &mut dyn Context) -> Result<Option<Value>, Flow> {
    let path = text(arguments, 0);
    let cut = path.rfind(['\\', '/']).map_or(0, |at| at + 1);
    let file = &path[cut..];
    let dot = file.rfind('.');
    Ok(Some(Value::str(match lower {
        "getfilename" => file.to_string(),
        "getfilenamewithoutextension" => dot.map_or(file, |d| &file[..d]).to_string(),
        "getextension" => dot.map_or("", |d| &file[d..]).to_string(),
        "hasextension" => return Ok(Some(Value::Bool(dot.is_some()))),
        "getdirectoryname" => {
            let parent = &path[..cut];
            if parent.len() <= 3 && parent.ends_with(":\\") { parent.to_string() } else { parent.trim_end_matches(['\\', '/']).to_string() }
        }
        "combine" => arguments.iter().map(shared_text).fold(String::new(), |acc, part| {
            if acc.is_empty() || part.starts_with('\\') || part.get(1..2) == Some(":") {
                part.to_string()
            } else if acc.ends_with(['\\', '/']) {
                acc + &part
            } else {
                format!("{acc}\\{part}")
            }
        }),
        "changeextension" => {
            let extension = text(arguments, 1);
            let extension = extension.trim_start_matches('.');
            format!("{}.{extension}", &path[..dot.map_or(path.len(), |d| cut + d)])
        }
        "getfullpath" => path.to_string(),
        "ispathrooted" => return Ok(Some(Value::Bool(path.starts_with(['\\', '/']) || path.get(1..2) == Some(":")))),
        "gettemppath" => "C:\\Users\\Administrator\\AppData\\Local\\Temp\\".to_string(),
        "getrandomfilename" => {
            let guid = cx.world().guid();
            let name: String = format!("{guid:032x}").chars().take(11).collect();
            format!("{}.{}", &name[..8], &name[8..])
        }
        _ => return Ok(None),
    })))
}

fn file_static(lower: &str, name: &str, arguments: &[Value], cx: &mut dyn Context) -> Result<Option<Value>, Flow> {
    let path = text(arguments, 0);
    let missing =
        |count: usize| Flow::from(method_threw(name, count, &format!("Could not find file '{path}'."), "System.IO.FileNotFoundException"));
    let write = |content: String, cx: &mut dyn Context| {
        if cx.world().write_file(&path, content.as_bytes()) {
            Ok(())
        } else {
            Err(Flow::from(method_threw(
                name,
                arguments.len(),
                &format!("Access to the path '{path}' is denied."),
                "System.UnauthorizedAccessException",
            )))
        }
    };
    Ok(Some(match lower {
        "exists" => Value::Bool(cx.world().read_file(&path).is_some()),
        "readalltext" | "readalllines" | "readallbytes" => {
            let content = cx.world().read_file(&path).ok_or_else(|| missing(arguments.len()))?;
            let decoded = crate::builtins::decode_text(&content);
            match lower {
                "readalltext" => Value::str(decoded),
                "readalllines" => Value::typed_array(STRING, decoded.lines().map(Value::str).collect()),
                _ => super::access::bytes(&content),
            }
        }
        "writealltext" => {
            write(text(arguments, 1).to_string(), cx)?;
            return Ok(Some(Value::Null));
        }
        "writealllines" => {
            let lines: Vec<Value> = arguments.get(1).map(|l| l.items().unwrap_or_else(|| vec![l.clone()])).unwrap_or_default();
            write(lines.iter().map(|l| format!("{}\r\n", shared_text(l))).collect(), cx)?;
            return Ok(Some(Value::Null));
        }
        _ => return Ok(None),
    }))
}

/// `New-Object` and `[type]::new()`.
pub fn new_object(type_name: &str, arguments: &[Value], cx: &mut dyn Context) -> Result<Value, Flow> {
    let full = full_name(type_name)?;
    if let Some(made) = cx.construct(&full, arguments)? {
        return Ok(made);
    }
    let count = arguments.len();
    if let Some(element) = full.strip_suffix("[]") {
        let size = usize::try_from(int(arguments, 0)?).unwrap_or(0);
        if size > 8 << 20 {
            return Err(crate::error::LimitError::CollectionSize(8 << 20).into());
        }
        let fill = cast_resolved(&Value::Null, element).unwrap_or(Value::Null);
        return Ok(Value::typed_array(element, vec![fill; size]));
    }
    if let Some(rest) = full.strip_prefix("System.Collections.Generic.List`1[[") {
        let items = arguments.first().and_then(Value::items).unwrap_or_default();
        return Ok(Value::List(List::new(ListKind::Generic(rest.trim_end_matches(']').into()), items)));
    }
    Ok(match &*full {
        "System.Object" | "System.Management.Automation.PSObject" | "System.Management.Automation.PSCustomObject" => {
            match arguments.first() {
                Some(value) => value.clone(),
                None => PsObject::custom().into(),
            }
        }
        "System.Collections.ArrayList" => {
            Value::List(List::new(ListKind::ArrayList, arguments.first().and_then(Value::items).unwrap_or_default()))
        }
        "System.Collections.Hashtable" => Value::hashtable(false, []),
        "System.Collections.Specialized.OrderedDictionary" => Value::hashtable(true, []),
        "System.String" => match arguments {
            [c, n] => Value::str(shared_text(c).repeat(usize::try_from(int(std::slice::from_ref(n), 0)?).unwrap_or(0).min(1 << 20))),
            [one] => Value::str(
                one.items().map_or_else(|| shared_text(one).to_string(), |i| i.iter().map(|c| shared_text(c).to_string()).collect()),
            ),
            _ => return Err(no_constructor(&full, count).into()),
        },
        "System.Text.StringBuilder" => {
            let start = arguments.first().filter(|a| matches!(a, Value::Str(_))).map_or_else(|| "".into(), shared_text);
            let object =
                PsObject::new("System.Text.StringBuilder").with("Capacity", 16).with("Length", i32::try_from(start.len()).unwrap_or(0));
            object.with("Text", start).into()
        }
        "System.Diagnostics.Stopwatch" => PsObject::new("System.Diagnostics.Stopwatch")
            .with("IsRunning", false)
            .with("Elapsed", TimeSpan::ZERO)
            .with("ElapsedMilliseconds", Value::Long(0))
            .into(),
        "System.DateTime" => {
            let n = |at: usize| int(arguments, at);
            match count {
                0 => Value::DateTime(DateTime::MIN),
                1 => Value::DateTime(DateTime::from_ticks(n(0)?, crate::value::DateTimeKind::Unspecified).unwrap_or(DateTime::MIN)),
                3 | 6 | 7 => {
                    let in_day = if count > 3 { ((n(3)? * 60 + n(4)?) * 60 + n(5)?) * TICKS_PER_SECOND } else { 0 };
                    let instant = datetime::Civil::instant(n(0)?, n(1)?, n(2)?, in_day).ok_or_else(|| {
                        Flow::from(method_threw(
                            ".ctor",
                            count,
                            "Year, Month, and Day parameters describe an un-representable DateTime.",
                            "System.ArgumentOutOfRangeException",
                        ))
                    })?;
                    Value::DateTime(instant)
                }
                _ => return Err(no_constructor(&full, count).into()),
            }
        }
        "System.TimeSpan" => {
            let n = |at: usize| int(arguments, at);
            let seconds = match count {
                0 => 0,
                1 => return Ok(Value::TimeSpan(TimeSpan { ticks: n(0)? })),
                3 => (n(0)? * 60 + n(1)?) * 60 + n(2)?,
                4 | 5 => ((n(0)? * 24 + n(1)?) * 60 + n(2)?) * 60 + n(3)?,
                _ => return Err(no_constructor(&full, count).into()),
            };
            let millis = if count == 5 { n(4)? } else { 0 };
            Value::TimeSpan(TimeSpan { ticks: seconds.saturating_mul(TICKS_PER_SECOND).saturating_add(millis * TICKS_PER_MILLISECOND) })
        }
        "System.Guid" if count == 0 => Value::Guid(0),
        super::methods::CIM_INSTANCE if count == 1 => match &arguments[0] {
            Value::Object(object) => super::methods::cim_copy(object),
            other => cast_resolved(other, &full)?,
        },
        "System.Version" if count >= 2 => {
            let mut parts = [-1; 4];
            for (slot, at) in parts.iter_mut().zip(0..count) {
                *slot = i32::try_from(int(arguments, at)?).unwrap_or(0);
            }
            Value::Version(parts)
        }
        "System.Text.RegularExpressions.Regex" => {
            return regexes::construct(&Call { class: &full, name: ".ctor", lower: ".ctor", arguments });
        }
        "System.Management.Automation.PSCredential" => {
            crate::builtins::credential(&text(arguments, 0), arguments.get(1).cloned().unwrap_or(Value::Null))
        }
        "System.Guid" | "System.Version" | "System.Uri" | "System.Net.IPAddress" | "System.Net.Mail.MailAddress" if count == 1 => {
            cast_resolved(&arguments[0], &full)?
        }
        name if name.ends_with("Exception") => {
            let message = if count == 0 { format!("Exception of type '{full}' was thrown.") } else { text(arguments, 0).to_string() };
            super::exception_object(&crate::error::exception_chain(&full), &message.into())
        }
        _ => {
            cx.unmodelled(&format!("New-Object {full}"));
            return Err(ErrorRecord::runtime(format!("Objects of type [{full}] are not modelled."), "NotModelled", "NotImplemented").into());
        }
    })
}

fn no_constructor(full: &str, count: usize) -> ErrorRecord {
    ErrorRecord {
        decorated: true,
        ..ErrorRecord::new(
            format!("A constructor was not found. Cannot find an appropriate constructor for type {full}."),
            "CannotFindAppropriateCtor",
            "ObjectNotFound",
            "System.Management.Automation.PSArgumentException",
        )
    }
    .with_target(Value::str(format!("{}({count})", short_name(full))))
}
