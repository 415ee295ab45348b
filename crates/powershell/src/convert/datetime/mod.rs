//! Dates and time spans: the calendar, reading and writing under en-US.

mod format;
mod parse;
mod pattern;
mod span;

pub use format::{format, format_invariant};
pub use parse::{ParseOptions, parse, parse_exact};
pub use span::{SpanError, format_span, parse_span, parse_span_exact, span_text};

use crate::value::{DateTime, DateTimeKind};

/// Ticks of one second.
pub const TICKS_PER_SECOND: i64 = 10_000_000;
/// Ticks of one day.
pub const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;
/// Ticks of one hour.
pub const TICKS_PER_HOUR: i64 = 3600 * TICKS_PER_SECOND;
/// Ticks of one minute.
pub const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
/// Ticks of one millisecond.
pub const TICKS_PER_MILLISECOND: i64 = TICKS_PER_SECOND / 1000;
/// Ticks from 0001-01-01 to 1601-01-01, where file times begin.
pub const FILE_TIME_EPOCH: i64 = 504_911_232_000_000_000;

/// Names of the months.
pub const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
/// Names of the week's days, Sunday first.
pub const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Days from 0001-01-01 to 1970-01-01.
const UNIX_DAYS: i64 = 719_162;

/// An instant as a calendar shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year, 1 to 9999.
    pub year: i64,
    /// Month, 1 to 12.
    pub month: i64,
    /// Day, 1 to 31.
    pub day: i64,
    /// Hour, 0 to 23.
    pub hour: i64,
    /// Minute.
    pub minute: i64,
    /// Second.
    pub second: i64,
    /// Ticks of 100 ns within the second.
    pub ticks: i64,
    /// Day of the week, Sunday is 0.
    pub weekday: usize,
    /// Day of the year, 1 January is 1.
    pub day_of_year: i64,
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// Days of a month.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Whether a year has a 29 February.
pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

impl Civil {
    /// The calendar form of an instant.
    pub fn of(instant: DateTime) -> Self {
        let (days, in_day) = (instant.ticks() / TICKS_PER_DAY - UNIX_DAYS, instant.ticks() % TICKS_PER_DAY);
        let (year, month, day) = civil_from_days(days);
        Self {
            year,
            month,
            day,
            hour: in_day / TICKS_PER_HOUR,
            minute: in_day / TICKS_PER_MINUTE % 60,
            second: in_day / TICKS_PER_SECOND % 60,
            ticks: in_day % TICKS_PER_SECOND,
            weekday: usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0),
            day_of_year: days - days_from_civil(year, 1, 1) + 1,
        }
    }

    /// The instant of a date and a number of ticks behind its midnight, of no kind; `None` when the parts are no date.
    pub fn instant(year: i64, month: i64, day: i64, ticks_in_day: i64) -> Option<DateTime> {
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        let ticks = (days_from_civil(year, month, day) + UNIX_DAYS) * TICKS_PER_DAY + ticks_in_day;
        DateTime::from_ticks(ticks, DateTimeKind::Unspecified)
    }
}

/// Ticks since the midnight before an instant.
pub fn ticks_in_day(instant: DateTime) -> i64 {
    instant.ticks() % TICKS_PER_DAY
}

/// Adds months, moving to the last day of a shorter month; the kind stays.
pub fn add_months(instant: DateTime, months: i64) -> Option<DateTime> {
    let civil = Civil::of(instant);
    let total = civil.year.checked_mul(12)?.checked_add(civil.month - 1)?.checked_add(months)?;
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    let day = civil.day.min(days_in_month(year, month));
    Civil::instant(year, month, day, ticks_in_day(instant)).map(|moved| moved.with_kind(instant.kind()))
}
