//! `System.DateTime`, `System.TimeSpan`, `System.TimeZoneInfo` and `System.Diagnostics.Stopwatch`. Computers of the fabric live
//! in UTC and in virtual time.

use std::sync::{Arc, Mutex};

use super::call::{Call, FORMAT, Found, RANGE, gives, len, void};
use crate::convert::datetime::{
    self, Civil, FILE_TIME_EPOCH, ParseOptions, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE, TICKS_PER_SECOND,
};
use crate::convert::{self, Arithmetic, cast_resolved, shared_text};
use crate::error::Flow;
use crate::pipeline::Context;
use crate::value::{DateTime, DateTimeKind, EnumValue, PropertySource, PsObject, TimeSpan, Value};

const DATE_TIME: &str = "System.DateTime";
const TIME_SPAN: &str = "System.TimeSpan";
const STOPWATCH: &str = "System.Diagnostics.Stopwatch";
const STYLES: &str = "System.Globalization.DateTimeStyles";
/// Ticks from 0001-01-01 to 1899-12-30, where the days of OLE automation begin.
const OLE_EPOCH: i64 = 599_264_352_000_000_000;

/// A member of `System.DateTimeKind`.
pub(super) fn kind_value(kind: DateTimeKind) -> Value {
    let (name, number) = match kind {
        DateTimeKind::Unspecified => ("Unspecified", 0),
        DateTimeKind::Utc => ("Utc", 1),
        DateTimeKind::Local => ("Local", 2),
    };
    Value::Enum(Arc::new(EnumValue { type_name: "System.DateTimeKind".into(), name: name.into(), number }))
}

/// Midnight of the day of an instant.
fn midnight(instant: DateTime) -> DateTime {
    instant.plus(-datetime::ticks_in_day(instant)).unwrap_or(instant)
}

fn int(n: i64) -> Value {
    i32::try_from(n).map_or(Value::Long(n), Value::Int)
}

/// Properties of dates; the name in lower case.
pub(super) fn date_property(instant: DateTime, lower: &str) -> Option<Value> {
    let civil = Civil::of(instant);
    Some(match lower {
        "year" => int(civil.year),
        "month" => int(civil.month),
        "day" => int(civil.day),
        "hour" => int(civil.hour),
        "minute" => int(civil.minute),
        "second" => int(civil.second),
        "millisecond" => int(civil.ticks / TICKS_PER_MILLISECOND),
        "dayofyear" => int(civil.day_of_year),
        "dayofweek" => Value::Enum(Arc::new(EnumValue {
            type_name: "System.DayOfWeek".into(),
            name: datetime::DAYS[civil.weekday].into(),
            number: i64::try_from(civil.weekday).unwrap_or(0),
        })),
        "ticks" => Value::Long(instant.ticks()),
        "kind" => kind_value(instant.kind()),
        "date" => Value::DateTime(midnight(instant)),
        "timeofday" => Value::TimeSpan(TimeSpan { ticks: datetime::ticks_in_day(instant) }),
        "datetime" => Value::str(datetime::format(instant, "F")?),
        _ => return None,
    })
}

/// Properties of spans; the name in lower case.
pub(super) fn span_property(span: TimeSpan, lower: &str) -> Option<Value> {
    let n = span.ticks;
    #[allow(clippy::cast_precision_loss)]
    let total = |unit: i64| Value::Double(n as f64 / unit as f64);
    Some(match lower {
        "days" => int(n / TICKS_PER_DAY),
        "hours" => int(n / TICKS_PER_HOUR % 24),
        "minutes" => int(n / TICKS_PER_MINUTE % 60),
        "seconds" => int(n / TICKS_PER_SECOND % 60),
        "milliseconds" => int(n / TICKS_PER_MILLISECOND % 1000),
        "ticks" => Value::Long(n),
        "totaldays" => total(TICKS_PER_DAY),
        "totalhours" => total(TICKS_PER_HOUR),
        "totalminutes" => total(TICKS_PER_MINUTE),
        "totalseconds" => total(TICKS_PER_SECOND),
        "totalmilliseconds" => total(TICKS_PER_MILLISECOND),
        _ => return None,
    })
}

/// Constants of `[datetime]` and `[timespan]`; `now` is the virtual time.
pub(super) fn constant(full: &str, lower: &str, now: impl FnOnce() -> DateTime) -> Option<Value> {
    Some(match (full, lower) {
        (DATE_TIME, "now") => Value::DateTime(now()),
        (DATE_TIME, "utcnow") => Value::DateTime(now().with_kind(DateTimeKind::Utc)),
        (DATE_TIME, "today") => Value::DateTime(midnight(now())),
        (DATE_TIME, "minvalue") => Value::DateTime(DateTime::MIN),
        (DATE_TIME, "maxvalue") => Value::DateTime(DateTime::MAX),
        (TIME_SPAN, "zero") => Value::TimeSpan(TimeSpan::ZERO),
        (TIME_SPAN, "maxvalue") => Value::TimeSpan(TimeSpan { ticks: i64::MAX }),
        (TIME_SPAN, "minvalue") => Value::TimeSpan(TimeSpan { ticks: i64::MIN }),
        (TIME_SPAN, "ticksperday") => Value::Long(TICKS_PER_DAY),
        (TIME_SPAN, "ticksperhour") => Value::Long(TICKS_PER_HOUR),
        (TIME_SPAN, "ticksperminute") => Value::Long(TICKS_PER_MINUTE),
        (TIME_SPAN, "tickspersecond") => Value::Long(TICKS_PER_SECOND),
        (TIME_SPAN, "tickspermillisecond") => Value::Long(TICKS_PER_MILLISECOND),
        (STOPWATCH, "frequency") => Value::Long(TICKS_PER_SECOND),
        (STOPWATCH, "ishighresolution") => Value::Bool(true),
        ("System.TimeZoneInfo", "local" | "utc") => zone(lower == "utc"),
        _ => return None,
    })
}

fn unrepresentable(call: &Call<'_>, parameter: &str) -> Flow {
    let what = if parameter == "months" { "months" } else { "value" };
    call.threw(&format!("The added or subtracted value results in an un-representable DateTime.\r\nParameter name: {what}"), RANGE)
}

/// A number of units as ticks: the .NET Framework rounds to whole milliseconds.
fn scaled(call: &Call<'_>, unit: i64) -> Result<i64, Flow> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    let milliseconds = (call.double(0, "value")? * (unit / TICKS_PER_MILLISECOND) as f64).round() as i64;
    milliseconds
        .checked_mul(TICKS_PER_MILLISECOND)
        .ok_or_else(|| call.threw("TimeSpan overflowed because the duration is too long.", "System.OverflowException"))
}

/// Methods of dates.
pub(super) fn date_methods(instant: DateTime, call: &Call<'_>) -> Found {
    let moved =
        |ticks: Result<i64, Flow>| -> Found { gives(Value::DateTime(instant.plus(ticks?).ok_or_else(|| unrepresentable(call, "value"))?)) };
    let formatted = |pattern: &str| gives(datetime::format(instant, pattern).unwrap_or_default());
    let both = |op| convert::arithmetic(op, &Value::DateTime(instant), call.value(0)).map_err(Flow::from).and_then(gives);
    match (call.lower, call.count()) {
        ("adddays", 1) => moved(scaled(call, TICKS_PER_DAY)),
        ("addhours", 1) => moved(scaled(call, TICKS_PER_HOUR)),
        ("addminutes", 1) => moved(scaled(call, TICKS_PER_MINUTE)),
        ("addseconds", 1) => moved(scaled(call, TICKS_PER_SECOND)),
        ("addmilliseconds", 1) => moved(scaled(call, TICKS_PER_MILLISECOND)),
        ("addticks", 1) => moved(call.long(0, "value")),
        ("addmonths" | "addyears", 1) => {
            let unit = if call.lower == "addyears" { 12 } else { 1 };
            let months = call.int(0, "months")?.saturating_mul(unit);
            let parameter = if unit == 1 { "months" } else { "value" };
            gives(Value::DateTime(datetime::add_months(instant, months).ok_or_else(|| unrepresentable(call, parameter))?))
        }
        ("add", 1) => both(Arithmetic::Add),
        ("subtract", 1) => both(Arithmetic::Sub),
        ("touniversaltime", 0) => gives(Value::DateTime(instant.with_kind(DateTimeKind::Utc))),
        ("tolocaltime", 0) => gives(Value::DateTime(instant.with_kind(DateTimeKind::Local))),
        ("toshortdatestring", 0) => formatted("d"),
        ("tolongdatestring", 0) => formatted("D"),
        ("toshorttimestring", 0) => formatted("t"),
        ("tolongtimestring", 0) => formatted("T"),
        ("getdatetimeformats", _) => Ok(None),
        #[allow(clippy::cast_precision_loss)]
        ("tooadate", 0) => gives((instant.ticks() - OLE_EPOCH) as f64 / TICKS_PER_DAY as f64),
        ("tofiletime" | "tofiletimeutc", 0) => match instant.ticks() - FILE_TIME_EPOCH {
            ticks if ticks < 0 => Err(call.threw("Not a valid Win32 FileTime.\r\nParameter name: fileTime", RANGE)),
            ticks => gives(Value::Long(ticks)),
        },
        ("tobinary", 0) => {
            let flag = match instant.kind() {
                DateTimeKind::Unspecified => 0,
                DateTimeKind::Utc => 1 << 62,
                DateTimeKind::Local => i64::MIN,
            };
            gives(Value::Long(instant.ticks() | flag))
        }
        ("isdaylightsavingtime", 0) => gives(false),
        _ => Ok(None),
    }
}

/// Methods of spans.
pub(super) fn span_methods(span: TimeSpan, call: &Call<'_>) -> Found {
    let both = |op| convert::arithmetic(op, &Value::TimeSpan(span), call.value(0)).map_err(Flow::from).and_then(gives);
    match (call.lower, call.count()) {
        ("add", 1) => both(Arithmetic::Add),
        ("subtract", 1) => both(Arithmetic::Sub),
        ("negate", 0) => gives(Value::TimeSpan(TimeSpan { ticks: span.ticks.saturating_neg() })),
        ("duration", 0) => gives(Value::TimeSpan(TimeSpan { ticks: span.ticks.saturating_abs() })),
        _ => Ok(None),
    }
}

fn options(call: &Call<'_>, at: usize) -> Result<ParseOptions, Flow> {
    let bits = if call.count() > at { call.bits(at, "style", STYLES)? } else { 0 };
    Ok(ParseOptions {
        trim: bits & 7 != 0,
        to_universal: bits & 16 != 0,
        assume_local: bits & 32 != 0,
        assume_universal: bits & 64 != 0,
        round_trip: bits & 128 != 0,
    })
}

/// Applies styles to a date that `Parse` read: text with a zone came out local.
fn styled(instant: DateTime, options: ParseOptions) -> DateTime {
    let zoned = instant.kind() == DateTimeKind::Local || options.assume_universal || options.assume_local;
    match zoned {
        true if options.to_universal => instant.with_kind(DateTimeKind::Utc),
        true => instant.with_kind(DateTimeKind::Local),
        false => instant,
    }
}

/// Static members of `[datetime]`.
pub(super) fn date_statics(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let source = call.text(0);
    let now = cx.world().now();
    let bad = || {
        let unknown = source.char_indices().find(|(_, c)| c.is_alphabetic()).map(|(at, _)| at);
        let reason = match unknown.filter(|_| call.lower == "parse") {
            Some(at) => format!("The string was not recognized as a valid DateTime. There is an unknown word starting at index {at}."),
            None => "String was not recognized as a valid DateTime.".into(),
        };
        call.threw(&reason, FORMAT)
    };
    let exact = |at: usize| -> Result<Option<DateTime>, Flow> {
        let options = options(call, at)?;
        let formats = call.items(1);
        Ok(formats.iter().find_map(|format| datetime::parse_exact(&source, &shared_text(format), options, now)))
    };
    match (call.lower, call.count()) {
        ("parse", 1..=3) => gives(Value::DateTime(styled(datetime::parse(&source, now).ok_or_else(bad)?, options(call, 2)?))),
        ("parseexact", 3 | 4) => gives(Value::DateTime(exact(3)?.ok_or_else(bad)?)),
        ("tryparse", 2 | 4) => {
            let (at, options) = if call.count() == 4 { (3, options(call, 2)?) } else { (1, ParseOptions::default()) };
            let parsed = datetime::parse(&source, now).map(|instant| styled(instant, options));
            super::references::assign(call.value(at), Value::DateTime(parsed.unwrap_or(DateTime::MIN)))?;
            gives(parsed.is_some())
        }
        ("tryparseexact", 5) => {
            let parsed = exact(3)?;
            super::references::assign(call.value(4), Value::DateTime(parsed.unwrap_or(DateTime::MIN)))?;
            gives(parsed.is_some())
        }
        ("daysinmonth", 2) => {
            let (year, month) = (call.int(0, "year")?, call.int(1, "month")?);
            if !(1..=12).contains(&month) {
                return Err(call.threw("Month must be between one and twelve.\r\nParameter name: month", RANGE));
            }
            gives(len(usize::try_from(datetime::days_in_month(year, month)).unwrap_or(0)))
        }
        ("isleapyear", 1) => gives(datetime::is_leap(call.int(0, "year")?)),
        ("fromfiletime" | "fromfiletimeutc", 1) => {
            let ticks = call.long(0, "fileTime")?;
            let kind = if call.lower == "fromfiletime" { DateTimeKind::Local } else { DateTimeKind::Utc };
            let made = ticks.checked_add(FILE_TIME_EPOCH).filter(|_| ticks >= 0).and_then(|ticks| DateTime::from_ticks(ticks, kind));
            gives(Value::DateTime(made.ok_or_else(|| call.threw("Not a valid Win32 FileTime.\r\nParameter name: fileTime", RANGE))?))
        }
        ("fromoadate", 1) => {
            #[allow(clippy::cast_possible_truncation)]
            let milliseconds = (call.double(0, "d")? * 86_400_000.0).round() as i64;
            let made = DateTime::from_ticks(
                OLE_EPOCH.saturating_add(milliseconds.saturating_mul(TICKS_PER_MILLISECOND)),
                DateTimeKind::Unspecified,
            );
            gives(Value::DateTime(made.ok_or_else(|| call.threw("Not a legal OleAut date.", super::call::ARGUMENT))?))
        }
        ("compare" | "equals", 2) => {
            let order =
                convert::compare_order(&call.cast(0, "t1", DATE_TIME)?, &call.cast(1, "t2", DATE_TIME)?, true).map_err(Flow::from)?;
            if call.lower == "equals" { gives(order.is_eq()) } else { gives(order as i32) }
        }
        ("specifykind", 2) => {
            let kind = match call.bits(1, "kind", "System.DateTimeKind")? {
                1 => DateTimeKind::Utc,
                2 => DateTimeKind::Local,
                _ => DateTimeKind::Unspecified,
            };
            match call.cast(0, "value", DATE_TIME)? {
                Value::DateTime(instant) => gives(Value::DateTime(instant.with_kind(kind))),
                _ => Err(call.overload()),
            }
        }
        ("parse" | "parseexact" | "tryparse" | "tryparseexact", _) => Err(call.overload()),
        _ => Ok(None),
    }
}

/// Static members of `[timespan]`.
pub(super) fn span_statics(call: &Call<'_>) -> Found {
    let unit = match (call.lower, call.count()) {
        ("fromdays", 1) => TICKS_PER_DAY,
        ("fromhours", 1) => TICKS_PER_HOUR,
        ("fromminutes", 1) => TICKS_PER_MINUTE,
        ("fromseconds", 1) => TICKS_PER_SECOND,
        ("frommilliseconds", 1) => TICKS_PER_MILLISECOND,
        ("fromticks", 1) => return gives(Value::TimeSpan(TimeSpan { ticks: call.long(0, "value")? })),
        ("parse", 1 | 2) => {
            return cast_resolved(&Value::Str(call.text(0)), TIME_SPAN).map(|s| Some(Some(s))).map_err(|e| call.reason_of(&e));
        }
        ("tryparse", 2) => {
            let made = datetime::parse_span(&call.text(0));
            super::references::assign(call.value(1), Value::TimeSpan(made.unwrap_or(TimeSpan::ZERO)))?;
            return gives(made.is_ok());
        }
        ("parseexact", 3 | 4) => {
            let formats = call.items(1);
            let read = formats.iter().find_map(|f| datetime::parse_span_exact(&call.text(0), &shared_text(f)).ok());
            return match read {
                Some(span) => gives(Value::TimeSpan(span)),
                None => Err(call.threw("Input string was not in a correct format.", FORMAT)),
            };
        }
        ("compare", 2) => {
            return gives(
                convert::compare_order(&call.cast(0, "t1", TIME_SPAN)?, &call.cast(1, "t2", TIME_SPAN)?, true).map_err(Flow::from)? as i32,
            );
        }
        _ => return Ok(None),
    };
    gives(Value::TimeSpan(TimeSpan { ticks: scaled(call, unit)? }))
}

/// `[datetime]::new(…)`, `[timespan]::new(…)`, `[Stopwatch]::new()`.
pub(super) fn construct(call: &Call<'_>) -> Result<Option<Value>, Flow> {
    let count = call.count();
    let n = |at: usize, parameter: &str| call.int(at, parameter);
    Ok(Some(match (call.class, count) {
        (DATE_TIME, 0) => Value::DateTime(DateTime::MIN),
        (DATE_TIME, 1 | 2) => {
            let reason = "Ticks must be between DateTime.MinValue.Ticks and DateTime.MaxValue.Ticks.\r\nParameter name: ticks";
            let made = DateTime::from_ticks(call.long(0, "ticks")?, DateTimeKind::Unspecified);
            kinded(made.ok_or_else(|| call.threw(reason, RANGE))?, call, 1)?
        }
        (DATE_TIME, 3 | 6 | 7 | 8) => {
            let mut ticks = 0;
            if count > 3 {
                let (hour, minute, second) = (n(3, "hour")?, n(4, "minute")?, n(5, "second")?);
                if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..60).contains(&second) {
                    return Err(call.threw("Hour, Minute, and Second parameters describe an un-representable DateTime.", RANGE));
                }
                ticks = ((hour * 60 + minute) * 60 + second) * TICKS_PER_SECOND;
            }
            let with_kind = count == 7 && matches!(call.value(6), Value::Enum(_) | Value::Str(_));
            if count > 6 && !with_kind {
                let millisecond = n(6, "millisecond")?;
                if !(0..1000).contains(&millisecond) {
                    return Err(call.threw("Valid values are between 0 and 999, inclusive.\r\nParameter name: millisecond", RANGE));
                }
                ticks += millisecond * TICKS_PER_MILLISECOND;
            }
            let made = Civil::instant(n(0, "year")?, n(1, "month")?, n(2, "day")?, ticks);
            let reason = "Year, Month, and Day parameters describe an un-representable DateTime.";
            kinded(made.ok_or_else(|| call.threw(reason, RANGE))?, call, if with_kind { 6 } else { 7 })?
        }
        (TIME_SPAN, 0) => Value::TimeSpan(TimeSpan::ZERO),
        (TIME_SPAN, 1) => Value::TimeSpan(TimeSpan { ticks: call.long(0, "ticks")? }),
        (TIME_SPAN, 3..=5) => {
            let seconds = if count == 3 {
                (n(0, "hours")? * 60 + n(1, "minutes")?) * 60 + n(2, "seconds")?
            } else {
                ((n(0, "days")? * 24 + n(1, "hours")?) * 60 + n(2, "minutes")?) * 60 + n(3, "seconds")?
            };
            let milliseconds = if count == 5 { n(4, "milliseconds")? } else { 0 };
            let ticks = seconds.saturating_mul(TICKS_PER_SECOND).saturating_add(milliseconds * TICKS_PER_MILLISECOND);
            Value::TimeSpan(TimeSpan { ticks })
        }
        (STOPWATCH, 0) => stopwatch(),
        _ => return Ok(None),
    }))
}

/// A date with the kind that an argument names, when there is one.
fn kinded(instant: DateTime, call: &Call<'_>, at: usize) -> Result<Value, Flow> {
    if call.count() <= at {
        return Ok(Value::DateTime(instant));
    }
    Ok(Value::DateTime(match call.bits(at, "kind", "System.DateTimeKind")? {
        1 => instant.with_kind(DateTimeKind::Utc),
        2 => instant.with_kind(DateTimeKind::Local),
        _ => instant,
    }))
}

/// The time zone of all computers.
fn zone(utc: bool) -> Value {
    let id = "UTC";
    let display = if utc { "UTC" } else { "(UTC) Coordinated Universal Time" };
    PsObject::new("System.TimeZoneInfo")
        .with("Id", id)
        .with("DisplayName", display)
        .with("StandardName", if utc { "UTC" } else { "Coordinated Universal Time" })
        .with("DaylightName", if utc { "UTC" } else { "Coordinated Universal Time" })
        .with("BaseUtcOffset", TimeSpan::ZERO)
        .with("SupportsDaylightSavingTime", false)
        .with_text(display)
        .into()
}

/// A watch over virtual time: the ticks of finished laps, and since when it runs.
#[derive(Debug, Default)]
struct Watch {
    state: Mutex<(i64, Option<DateTime>)>,
}

impl Watch {
    fn elapsed(&self, now: DateTime) -> (i64, bool) {
        let (done, since) = self.state.lock().map(|state| *state).unwrap_or_default();
        (done + since.map_or(0, |since| now.ticks() - since.ticks()), since.is_some())
    }
}

impl PropertySource for Watch {
    fn names(&self) -> Vec<Arc<str>> {
        ["IsRunning", "Elapsed", "ElapsedMilliseconds", "ElapsedTicks"].map(Into::into).to_vec()
    }

    fn get(&self, name: &str) -> Option<Value> {
        // Without a clock at hand only finished laps are known.
        let (_, since) = self.state.lock().map(|state| *state).unwrap_or_default();
        self.get_at(name, since.unwrap_or(DateTime::MIN))
    }

    fn get_at(&self, name: &str, now: DateTime) -> Option<Value> {
        let (ticks, running) = self.elapsed(now);
        Some(match name.to_ascii_lowercase().as_str() {
            "isrunning" => Value::Bool(running),
            "elapsed" => Value::TimeSpan(TimeSpan { ticks }),
            "elapsedmilliseconds" => Value::Long(ticks / TICKS_PER_MILLISECOND),
            "elapsedticks" => Value::Long(ticks),
            _ => return None,
        })
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

fn stopwatch() -> Value {
    let mut object = PsObject::new(STOPWATCH);
    object.source = Some(Arc::new(Watch::default()));
    object.into()
}

/// Static members of `[Stopwatch]`.
pub(super) fn watch_statics(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    match (call.lower, call.count()) {
        ("startnew", 0) => {
            let watch = stopwatch();
            if let Value::Object(object) = &watch {
                watch_methods(object, &Call { lower: "start", ..*call }, cx)?;
            }
            gives(watch)
        }
        ("gettimestamp", 0) => gives(Value::Long(cx.world().now().unix_ticks())),
        _ => Ok(None),
    }
}

/// Methods of watches.
pub(super) fn watch_methods(object: &PsObject, call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let Some(watch) = object.source.as_ref().and_then(|s| s.as_any()).and_then(|s| s.downcast_ref::<Watch>()) else { return Ok(None) };
    let now = cx.world().now();
    let (ticks, _) = watch.elapsed(now);
    let Ok(mut state) = watch.state.lock() else { return Ok(None) };
    match (call.lower, call.count()) {
        ("start", 0) => *state = (state.0, Some(state.1.unwrap_or(now))),
        ("stop", 0) => *state = (ticks, None),
        ("reset", 0) => *state = (0, None),
        ("restart", 0) => *state = (0, Some(now)),
        _ => return Ok(None),
    }
    void()
}
