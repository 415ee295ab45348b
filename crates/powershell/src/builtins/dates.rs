//! `Get-Date`, `New-TimeSpan`, `Start-Sleep`, `Get-Random`, `New-Guid`, `Measure-Command`.

use super::{error, list, number};
use crate::command::BoundParameters;
use crate::convert::datetime::{self, Civil, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE, TICKS_PER_SECOND};
use crate::convert::number as numbers;
use crate::error::Flow;
use crate::pipeline::{BlockCall, BlockScope, Context, Stage};
use crate::value::{TimeSpan, Value};

/// `Get-Date`.
pub(super) fn get_date(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let base = match parameters.get("Date") {
        Some(Value::DateTime(instant)) => *instant,
        _ => cx.world().now(),
    };
    let civil = Civil::of(base);
    let part = |name: &str, current: i64| number(parameters, name).unwrap_or(current);
    let in_day = ((part("Hour", civil.hour) * 60 + part("Minute", civil.minute)) * 60 + part("Second", civil.second)) * TICKS_PER_SECOND
        + number(parameters, "Millisecond").map_or(civil.ticks, |n| n * TICKS_PER_MILLISECOND);
    let touched = ["Year", "Month", "Day", "Hour", "Minute", "Second", "Millisecond"].iter().any(|n| parameters.get(n).is_some());
    let instant = if touched {
        Civil::instant(part("Year", civil.year), part("Month", civil.month), part("Day", civil.day), in_day)
            .map_or(base, |instant| instant.with_kind(base.kind()))
    } else {
        base
    };
    if let Some(format) = parameters.text("Format") {
        let named = match &*format {
            "FileDate" => "yyyyMMdd",
            "FileDateTime" => "yyyyMMdd'T'HHmmssffff",
            "FileDateUniversal" => "yyyyMMdd'Z'",
            "FileDateTimeUniversal" => "yyyyMMdd'T'HHmmssffff'Z'",
            other => other,
        };
        return match datetime::format(instant, named) {
            Some(text) => cx.emit(Value::str(text)),
            None => {
                Err(error("Input string was not in a correct format.", "System.FormatException", "NotSpecified", "System.FormatException")
                    .into())
            }
        };
    }
    if let Some(format) = parameters.text("UFormat") {
        return cx.emit(Value::str(unix_format(instant, &format)));
    }
    if let Some(hint) = parameters.text("DisplayHint") {
        cx.remark(&format!("Get-Date -DisplayHint {hint} changes only how the date is shown; the whole date is shown"));
    }
    cx.emit(Value::DateTime(instant))
}

/// The `%` formats of `-UFormat`.
fn unix_format(instant: crate::value::DateTime, format: &str) -> String {
    let mut out = String::new();
    let mut chars = format.strip_prefix('+').unwrap_or(format).chars();
    let f = |pattern: &str| datetime::format(instant, pattern).unwrap_or_default();
    let civil = Civil::of(instant);
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        out.push_str(&match chars.next() {
            Some('Y' | 'G') => f("yyyy"),
            Some('y' | 'g') => f("yy"),
            Some('m') => f("MM"),
            Some('d') => f("dd"),
            Some('e') => format!("{:>2}", civil.day),
            Some('H') => f("HH"),
            Some('I') => f("hh"),
            Some('M') => f("mm"),
            Some('S') => f("ss"),
            Some('p') => f("tt"),
            Some('A') => f("dddd"),
            Some('a') => f("ddd"),
            Some('B') => f("MMMM"),
            Some('b' | 'h') => f("MMM"),
            Some('j') => civil.day_of_year.to_string(),
            Some('T' | 'X') => f("HH:mm:ss"),
            Some('R') => f("HH:mm"),
            Some('D' | 'x') => f("MM/dd/yy"),
            Some('F') => f("yyyy-MM-dd"),
            Some('Z') => "+00".into(),
            Some('s') => instant.unix_ticks().div_euclid(TICKS_PER_SECOND).to_string(),
            Some('c') => f("ddd MMM d HH:mm:ss yyyy"),
            Some('u') => civil.weekday.to_string(),
            Some('w') => civil.weekday.to_string(),
            Some('n') => "\n".into(),
            Some('t') => "\t".into(),
            Some('%') => "%".into(),
            Some(other) => other.to_string(),
            None => String::new(),
        });
    }
    out
}

/// `New-TimeSpan`.
pub(super) fn new_timespan(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let part = |name: &str, unit: i64| number(parameters, name).unwrap_or(0).saturating_mul(unit);
    let total = if parameters.get("Start").is_some() || parameters.get("End").is_some() || parameters.values.is_empty() {
        let now = cx.world().now();
        let at = |name: &str| match parameters.get(name) {
            Some(Value::DateTime(instant)) => *instant,
            _ => now,
        };
        if parameters.values.is_empty() { 0 } else { at("End").ticks() - at("Start").ticks() }
    } else {
        part("Days", TICKS_PER_DAY)
            + part("Hours", TICKS_PER_HOUR)
            + part("Minutes", TICKS_PER_MINUTE)
            + part("Seconds", TICKS_PER_SECOND)
            + part("Milliseconds", TICKS_PER_MILLISECOND)
    };
    cx.emit(Value::TimeSpan(TimeSpan { ticks: total }))
}

/// `Start-Sleep`: virtual time.
pub(super) fn start_sleep(parameters: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let seconds = parameters.get("Seconds").and_then(numbers::as_number).map_or(0.0, numbers::Num::to_f64);
    let milliseconds = number(parameters, "Milliseconds").unwrap_or(0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    let nanoseconds = ((seconds * 1e9) as i64).saturating_add(milliseconds.saturating_mul(1_000_000));
    if nanoseconds < 0 {
        let name = if parameters.get("Seconds").is_some() { "Seconds" } else { "Milliseconds" };
        let given = parameters.get(name).map(crate::convert::display).unwrap_or_default();
        return Err(error(
            format!(
                "Cannot validate argument on parameter '{name}'. The {given} argument is less than the minimum allowed range of 0. Supply an argument that \
                 is greater than or equal to 0 and then try the command again."
            ),
            "ParameterArgumentValidationError",
            "InvalidData",
            "System.Management.Automation.ParameterBindingValidationException",
        )
        .into());
    }
    crate::limits::time(nanoseconds)?;
    cx.world().sleep(nanoseconds);
    Ok(())
}

/// A number from the seed of the world.
fn random(cx: &mut dyn Context) -> u64 {
    if let Some(state) = cx.desk().seed {
        // SplitMix64: numbers follow from the seed that the script set.
        let state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        cx.desk().seed = Some(state);
        let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        return mixed ^ mixed >> 31;
    }
    let guid = cx.world().guid();
    // Two halves of the GUID, mixed, so that fixed version bits do not show.
    let folded = (guid >> 64) as u64 ^ (guid as u64).rotate_left(29);
    let mixed = folded.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ mixed >> 32
}

/// `Get-Random`.
pub(super) fn get_random(parameters: &BoundParameters, items: Vec<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
    let mut items = items;
    if let Some(seed) = number(parameters, "SetSeed") {
        cx.desk().seed = Some(seed.unsigned_abs());
        cx.remark("Get-Random -SetSeed: the numbers follow from the seed, but are not those of .NET");
    }
    if !items.is_empty() {
        let count = number(parameters, "Count").map_or(1, |n| usize::try_from(n).unwrap_or(1));
        for _ in 0..count {
            if items.is_empty() {
                break;
            }
            let at = usize::try_from(random(cx) % items.len() as u64).unwrap_or(0);
            let item = items.swap_remove(at);
            cx.emit(item)?;
        }
        return Ok(());
    }
    let bound = |name: &str| parameters.get(name).map(|v| (v.clone(), numbers::as_number(v).map_or(0.0, numbers::Num::to_f64)));
    let (low, high) = (bound("Minimum"), bound("Maximum"));
    let double = [&low, &high].iter().any(|b| matches!(b, Some((Value::Double(_), _))));
    let (low, high) = (low.map_or(0.0, |b| b.1), high.map_or(f64::from(i32::MAX), |b| b.1));
    if low >= high {
        return Err(error(
            format!("The Minimum value ({low}) cannot be greater than or equal to the Maximum value ({high})."),
            "MinGreaterThanOrEqualMax",
            "InvalidArgument",
            "System.ArgumentException",
        )
        .into());
    }
    #[allow(clippy::cast_precision_loss)]
    let unit = (random(cx) >> 11) as f64 / (1u64 << 53) as f64;
    let value = low + unit * (high - low);
    #[allow(clippy::cast_possible_truncation)]
    let whole = value.floor() as i64;
    cx.emit(if double { Value::Double(value) } else { i32::try_from(whole).map_or(Value::Long(whole), Value::Int) })
}

/// `New-Guid`.
pub(super) fn new_guid(_: &BoundParameters, cx: &mut dyn Context) -> Result<(), Flow> {
    let guid = cx.world().guid();
    cx.emit(Value::Guid(guid))
}

/// `Measure-Command`: virtual time that a block took.
pub(super) struct MeasureCommand {
    parameters: BoundParameters,
    total: i64,
}

impl MeasureCommand {
    pub(super) fn boxed(parameters: BoundParameters) -> Box<dyn Stage> {
        Box::new(Self { parameters, total: 0 })
    }
}

impl Stage for MeasureCommand {
    fn process(&mut self, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
        for block in list(&self.parameters, "Expression") {
            let Value::Script(block) = block else { continue };
            let before = cx.world().now();
            let call = BlockCall { block: &block, underscore: input.clone(), arguments: Vec::new(), scope: BlockScope::Current };
            cx.call_block(call, &mut |_| Ok(()))?;
            self.total += cx.world().now().ticks() - before.ticks();
        }
        Ok(())
    }

    fn end(&mut self, cx: &mut dyn Context) -> Result<(), Flow> {
        cx.emit(Value::TimeSpan(TimeSpan { ticks: self.total }))
    }
}
