//! `System.Math`, and what the numeric types share: `Parse`, `TryParse`, their limits.

use super::call::{Call, Found};
use crate::convert::number::{Num, Rank};
use crate::convert::{Decimal, cast_resolved, number, shared_text};
use crate::error::{ErrorRecord, Flow};
use crate::value::{Number, Value};

/// A whole number as `Int32` where it fits.
fn small(n: i64) -> Value {
    i32::try_from(n).map_or(Value::Long(n), Value::Int)
}

/// Static members of `[math]`.
pub(super) fn statics(call: &Call<'_>) -> Found {
    let (count, arguments, name) = (call.count(), call.arguments, call.name);
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
        return Err(call.overload());
    }
    let d = |at: usize| call.double(at, "a");
    Ok(Some(Some(match (call.lower, count) {
        ("round", 1..=3) => {
            let decimals = match arguments.get(1) {
                Some(Value::Enum(_) | Value::Str(_)) | None => 0,
                Some(_) => u32::try_from(call.int(1, "decimals")?).unwrap_or(0).min(15),
            };
            let away = arguments
                .last()
                .is_some_and(|a| matches!(a, Value::Enum(_) | Value::Str(_)) && shared_text(a).eq_ignore_ascii_case("AwayFromZero"));
            match first()? {
                Num::Decimal(n) => Value::Number(Number::Decimal(n.round(decimals))),
                // Whole numbers take the overload for decimals.
                n @ Num::Int(..) => n.to_decimal().map_or(Value::Null, |n| Value::Number(Number::Decimal(n))),
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
                let n = Decimal::from_f64(if call.lower == "floor" {
                    n.floor()
                } else if call.lower == "ceiling" {
                    n.ceil()
                } else {
                    n.trunc()
                });
                n.map_or(Value::Null, |n| Value::Number(Number::Decimal(n)))
            }
            // Whole numbers take the overload for decimals.
            n @ Num::Int(..) => n.to_decimal().map_or(Value::Null, |n| Value::Number(Number::Decimal(n))),
            n => Value::Double(match call.lower {
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
            (Num::Int(a, ra), Some(Num::Int(b, rb))) => number::whole(if call.lower == "max" { a.max(b) } else { a.min(b) }, ra.max(rb)),
            // The overload of the first argument is taken.
            (Num::Int(a, ra), Some(b)) => {
                let b = match cast_resolved(&b.into_value(), "System.Int64")? {
                    Value::Long(b) => i128::from(b),
                    _ => 0,
                };
                number::whole(if call.lower == "max" { a.max(b) } else { a.min(b) }, ra)
            }
            (a, _) => Value::Double(if call.lower == "max" { a.to_f64().max(d(1)?) } else { a.to_f64().min(d(1)?) }),
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
        ("asin", 1) => Value::Double(d(0)?.asin()),
        ("acos", 1) => Value::Double(d(0)?.acos()),
        ("atan", 1) => Value::Double(d(0)?.atan()),
        ("atan2", 2) => Value::Double(d(0)?.atan2(d(1)?)),
        ("sinh", 1) => Value::Double(d(0)?.sinh()),
        ("cosh", 1) => Value::Double(d(0)?.cosh()),
        ("tanh", 1) => Value::Double(d(0)?.tanh()),
        ("ieeeremainder", 2) => {
            let (x, y) = (d(0)?, d(1)?);
            Value::Double(x - y * (x / y).round_ties_even())
        }
        ("bigmul", 2) => Value::Long(call.int(0, "a")?.saturating_mul(call.int(1, "b")?)),
        ("divrem", 3) => {
            let (a, b) = (call.long(0, "a")?, call.long(1, "b")?);
            let zero = || call.threw("Attempted to divide by zero.", "System.DivideByZeroException");
            let quotient = a.checked_div(b).ok_or_else(zero)?;
            super::references::assign(call.value(2), small(a % b))?;
            small(quotient)
        }
        ("round" | "floor" | "ceiling" | "truncate" | "abs" | "max" | "min" | "pow" | "sqrt" | "divrem" | "sign", _) => {
            return Err(call.overload());
        }
        _ => return Ok(None),
    })))
}

/// Constants of `[math]` and of the numeric types.
pub(super) fn constant(full: &str, lower: &str) -> Option<Value> {
    let number = |n: Number| Some(Value::Number(n));
    match (full, lower) {
        ("System.Math", "pi") => Some(Value::Double(std::f64::consts::PI)),
        ("System.Math", "e") => Some(Value::Double(std::f64::consts::E)),
        ("System.Int32", "maxvalue") => Some(Value::Int(i32::MAX)),
        ("System.Int32", "minvalue") => Some(Value::Int(i32::MIN)),
        ("System.Int64", "maxvalue") => Some(Value::Long(i64::MAX)),
        ("System.Int64", "minvalue") => Some(Value::Long(i64::MIN)),
        ("System.SByte", "maxvalue") => number(Number::SByte(i8::MAX)),
        ("System.SByte", "minvalue") => number(Number::SByte(i8::MIN)),
        ("System.Byte", "maxvalue") => number(Number::Byte(u8::MAX)),
        ("System.Byte", "minvalue") => number(Number::Byte(0)),
        ("System.Int16", "maxvalue") => number(Number::Int16(i16::MAX)),
        ("System.Int16", "minvalue") => number(Number::Int16(i16::MIN)),
        ("System.UInt16", "maxvalue") => number(Number::UInt16(u16::MAX)),
        ("System.UInt16", "minvalue") => number(Number::UInt16(0)),
        ("System.UInt32", "maxvalue") => number(Number::UInt32(u32::MAX)),
        ("System.UInt32", "minvalue") => number(Number::UInt32(0)),
        ("System.UInt64", "maxvalue") => number(Number::UInt64(u64::MAX)),
        ("System.UInt64", "minvalue") => number(Number::UInt64(0)),
        ("System.Single", "maxvalue") => number(Number::Single(f32::MAX)),
        ("System.Single", "minvalue") => number(Number::Single(f32::MIN)),
        ("System.Double", "maxvalue") => Some(Value::Double(f64::MAX)),
        ("System.Double", "minvalue") => Some(Value::Double(f64::MIN)),
        ("System.Double", "epsilon") => Some(Value::Double(5e-324)),
        ("System.Double", "nan") => Some(Value::Double(f64::NAN)),
        ("System.Double", "positiveinfinity") => Some(Value::Double(f64::INFINITY)),
        ("System.Double", "negativeinfinity") => Some(Value::Double(f64::NEG_INFINITY)),
        ("System.Decimal", "maxvalue") => Decimal::parse("79228162514264337593543950335").and_then(|n| number(Number::Decimal(n))),
        ("System.Decimal", "minvalue") => Decimal::parse("-79228162514264337593543950335").and_then(|n| number(Number::Decimal(n))),
        ("System.Decimal", "zero") => Decimal::from_int(0).and_then(|n| number(Number::Decimal(n))),
        ("System.Decimal", "one") => Decimal::from_int(1).and_then(|n| number(Number::Decimal(n))),
        ("System.Boolean", "truestring") => Some(Value::str("True")),
        ("System.Boolean", "falsestring") => Some(Value::str("False")),
        _ => None,
    }
}

/// Text as `Parse` of a numeric type takes it: unlike a cast, no multipliers and no hexadecimal digits unless asked for.
fn parsed(text: &str, full: &str, hexadecimal: bool) -> Result<Value, ErrorRecord> {
    let bad = || {
        let reason = "Input string was not in a correct format.";
        ErrorRecord::runtime(format!("Cannot convert. Error: \"{reason}\""), "Format", "InvalidArgument")
    };
    let trimmed = text.trim();
    if hexadecimal {
        let digits = trimmed;
        let number =
            i128::from_str_radix(digits, 16).ok().filter(|_| !digits.is_empty() && !digits.starts_with(['+', '-'])).ok_or_else(bad)?;
        let wrapped = match full {
            "System.Int32" => i128::from(u32::try_from(number).map_err(|_| bad())?.cast_signed()),
            "System.Int64" => i128::from(u64::try_from(number).map_err(|_| bad())?.cast_signed()),
            _ => number,
        };
        return cast_resolved(&number::whole(wrapped, Rank::Int64), full);
    }
    if full == "System.Boolean" {
        return match trimmed.to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(ErrorRecord::runtime(
                "Cannot convert. Error: \"String was not recognized as a valid Boolean.\"",
                "Format",
                "InvalidArgument",
            )),
        };
    }
    let float = matches!(full, "System.Double" | "System.Single" | "System.Decimal");
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-') || (float && matches!(c, '.' | ',' | 'e' | 'E'));
    let named = float && matches!(trimmed, "NaN" | "Infinity" | "-Infinity");
    if trimmed.is_empty() || !(named || trimmed.chars().all(plain)) {
        return Err(bad());
    }
    cast_resolved(&Value::str(trimmed), full)
}

/// `Parse`, `TryParse` and the tests of doubles.
pub(super) fn number_statics(call: &Call<'_>) -> Found {
    let hexadecimal = |at: usize| -> Result<bool, Flow> {
        match call.value(at) {
            Value::Enum(_) | Value::Str(_) | Value::Int(_) if call.count() > 1 => {
                Ok(call.bits(at, "style", "System.Globalization.NumberStyles")? & 512 != 0)
            }
            _ => Ok(false),
        }
    };
    let found = match (call.lower, call.count()) {
        ("parse", 1..=3) => parsed(&call.text(0), call.class, hexadecimal(1)?).map_err(|error| call.reason_of(&error))?,
        ("tryparse", 2 | 4) => {
            let (at, hexadecimal) = if call.count() == 4 { (3, hexadecimal(1)?) } else { (1, false) };
            let made = parsed(&call.text(0), call.class, hexadecimal);
            let ok = made.is_ok();
            let zero = cast_resolved(&Value::Int(0), call.class).unwrap_or(Value::Null);
            super::references::assign(call.value(at), made.unwrap_or(zero))?;
            Value::Bool(ok)
        }
        ("isnan", 1) => Value::Bool(call.double(0, "d")?.is_nan()),
        ("isinfinity", 1) => Value::Bool(call.double(0, "d")?.is_infinite()),
        ("ispositiveinfinity", 1) => Value::Bool(call.double(0, "d")? == f64::INFINITY),
        ("isnegativeinfinity", 1) => Value::Bool(call.double(0, "d")? == f64::NEG_INFINITY),
        ("round" | "truncate" | "floor" | "ceiling", 1..) if call.class == "System.Decimal" => {
            let mut arguments = call.arguments.to_vec();
            arguments[0] = call.cast(0, "d", "System.Decimal")?;
            return statics(&Call { arguments: &arguments, ..*call });
        }
        ("parse" | "tryparse", _) => return Err(call.overload()),
        _ => return Ok(None),
    };
    Ok(Some(Some(found)))
}
