//! Dates and time spans: calendar, parsing as en-US, and .NET format strings.

use crate::value::{DateTime, TimeSpan};

/// Nanoseconds of one tick, the resolution of .NET.
pub const TICK: i64 = 100;
/// Nanoseconds of one second.
pub const SECOND: i64 = 1_000_000_000;
/// Nanoseconds of one day.
pub const DAY: i64 = 86_400 * SECOND;
/// Ticks from 0001-01-01 to 1970-01-01.
const EPOCH_TICKS: i128 = 621_355_968_000_000_000;

/// `[datetime]::MinValue`. The range of nanoseconds begins in 1677, so the lowest number stands for year 1.
pub const MIN: DateTime = DateTime { nanoseconds: i64::MIN };
/// `[datetime]::MaxValue`; the highest number stands for the end of year 9999.
pub const MAX: DateTime = DateTime { nanoseconds: i64::MAX };

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
/// Names of the week's days, Sunday first.
pub const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

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
        let (days, in_day) = match instant {
            MIN => (days_from_civil(1, 1, 1), 0),
            MAX => (days_from_civil(9999, 12, 31), DAY - TICK),
            _ => (instant.nanoseconds.div_euclid(DAY), instant.nanoseconds.rem_euclid(DAY)),
        };
        let (year, month, day) = civil_from_days(days);
        Self {
            year,
            month,
            day,
            hour: in_day / (3600 * SECOND),
            minute: in_day / (60 * SECOND) % 60,
            second: in_day / SECOND % 60,
            ticks: in_day % SECOND / TICK,
            weekday: usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0),
            day_of_year: days - days_from_civil(year, 1, 1) + 1,
        }
    }

    /// The instant; `None` when the parts are no date. Dates outside 1678 to 2261 become the limits.
    pub fn instant(year: i64, month: i64, day: i64, in_day: i64) -> Option<DateTime> {
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        let total = i128::from(days_from_civil(year, month, day)) * i128::from(DAY) + i128::from(in_day);
        Some(DateTime { nanoseconds: i64::try_from(total).unwrap_or(if total < 0 { i64::MIN } else { i64::MAX }) })
    }
}

/// Ticks of an instant since year 1.
pub fn ticks(instant: DateTime) -> i64 {
    match instant {
        MIN => 0,
        MAX => 3_155_378_975_999_999_999,
        _ => i64::try_from(EPOCH_TICKS + i128::from(instant.nanoseconds / TICK)).unwrap_or(0),
    }
}

/// The instant of a number of ticks since year 1.
pub fn from_ticks(ticks: i64) -> DateTime {
    let nanoseconds = (i128::from(ticks) - EPOCH_TICKS) * i128::from(TICK);
    DateTime { nanoseconds: i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX }) }
}

/// Adds a span, staying within what a date can hold.
pub fn add(instant: DateTime, span: i64) -> DateTime {
    if instant == MIN || instant == MAX {
        return instant;
    }
    DateTime { nanoseconds: instant.nanoseconds.saturating_add(span) }
}

/// Adds months, moving to the last day of a shorter month.
pub fn add_months(instant: DateTime, months: i64) -> Option<DateTime> {
    let civil = Civil::of(instant);
    let total = civil.year * 12 + civil.month - 1 + months;
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    Civil::instant(year, month, civil.day.min(days_in_month(year, month)), instant.nanoseconds.rem_euclid(DAY))
}

/// Reads a date as `[datetime]` does under en-US and the invariant culture. `today` supplies the date of a bare time.
pub fn parse(text: &str, today: DateTime) -> Option<DateTime> {
    let text = text.trim();
    let mut numbers: Vec<(i64, usize)> = Vec::new();
    let (mut month_name, mut month_first) = (None, false);
    let (mut time, mut pm, mut offset) = (None, None, None::<i64>);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let c = bytes[at];
        if c.is_ascii_digit() {
            let (value, next) = digits(bytes, at)?;
            let after = bytes.get(next).copied();
            if after == Some(b':') {
                let (read, end) = parse_time(bytes, at)?;
                if time.replace(read).is_some() {
                    return None;
                }
                at = end;
                continue;
            }
            numbers.push((value, next - at));
            at = next;
        } else if c.is_ascii_alphabetic() {
            let end = bytes[at..].iter().position(|b| !b.is_ascii_alphabetic()).map_or(bytes.len(), |n| at + n);
            let word = text[at..end].to_ascii_lowercase();
            at = end;
            match word.as_str() {
                "am" | "a" => pm = Some(false),
                "pm" | "p" => pm = Some(true),
                "t" if !numbers.is_empty() => {}
                "z" | "gmt" | "utc" => offset = Some(0),
                "st" | "nd" | "rd" | "th" => return None,
                word => {
                    if let Some(month) = MONTHS.iter().position(|m| {
                        let m = m.to_ascii_lowercase();
                        m == word || (word.len() == 3 && m.starts_with(word))
                    }) {
                        month_first = numbers.is_empty();
                        month_name = Some(i64::try_from(month).ok()? + 1);
                    } else if !DAYS.iter().any(|d| {
                        let d = d.to_ascii_lowercase();
                        d == word || (word.len() == 3 && d.starts_with(word))
                    }) {
                        return None;
                    }
                }
            }
        } else if (c == b'+' || c == b'-') && time.is_some() {
            let (hours, next) = digits(bytes, at + 1)?;
            let (minutes, next) = match bytes.get(next) {
                Some(b':') => digits(bytes, next + 1)?,
                _ => (0, next),
            };
            let (hours, minutes) = if next - at == 5 { (hours / 100, hours % 100) } else { (hours, minutes) };
            offset = Some((hours * 60 + minutes) * if c == b'-' { -1 } else { 1 });
            at = next;
        } else if matches!(c, b' ' | b',' | b'/' | b'-' | b'.') {
            at += 1;
        } else {
            return None;
        }
    }
    let (mut year, month, day);
    let this = Civil::of(today);
    match (month_name, numbers.as_slice()) {
        (None, []) if time.is_some() => (year, month, day) = (this.year, this.month, this.day),
        (None, [(y, 4), (m, _), (d, _)]) => (year, month, day) = (*y, *m, *d),
        (None, [(m, 1 | 2), (d, 1 | 2), (y, 1..=4)]) => (year, month, day) = (century(*y), *m, *d),
        (None, [(m, 1 | 2), (y, 4)]) | (None, [(y, 4), (m, 1 | 2)]) => (year, month, day) = (*y, *m, 1),
        (None, [(m, 1 | 2), (d, 1 | 2)]) => (year, month, day) = (this.year, *m, *d),
        (Some(m), [(d, 1 | 2), (y, 2 | 4)]) => (year, month, day) = (century(*y), m, *d),
        (Some(m), [(y, 4)]) => (year, month, day) = (*y, m, 1),
        (Some(m), [(y, 4), (d, 1 | 2)]) => (year, month, day) = (*y, m, *d),
        (Some(m), [(d, 1 | 2)]) => (year, month, day) = (this.year, m, *d),
        _ => return None,
    }
    let _ = month_first;
    if year == 0 {
        year = this.year;
    }
    let mut in_day = time.unwrap_or(0);
    match pm {
        Some(_) if time.is_none() || in_day >= 13 * 3600 * SECOND => return None,
        Some(true) if in_day < 12 * 3600 * SECOND => in_day += 12 * 3600 * SECOND,
        Some(false) if in_day >= 12 * 3600 * SECOND => in_day -= 12 * 3600 * SECOND,
        _ => {}
    }
    let instant = Civil::instant(year, month, day, in_day)?;
    Some(offset.map_or(instant, |minutes| add(instant, -minutes * 60 * SECOND)))
}

fn century(year: i64) -> i64 {
    match year {
        0..=49 => 2000 + year,
        50..=99 => 1900 + year,
        _ => year,
    }
}

fn digits(bytes: &[u8], from: usize) -> Option<(i64, usize)> {
    let len = bytes.get(from..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    if len == 0 || len > 9 {
        return None;
    }
    let value = bytes[from..from + len].iter().fold(0i64, |v, b| v * 10 + i64::from(b - b'0'));
    Some((value, from + len))
}

/// `10:12`, `10:12:24`, `10:12:24.1234567` at a place; nanoseconds of the day and the place behind it.
fn parse_time(bytes: &[u8], from: usize) -> Option<(i64, usize)> {
    let (hour, at) = digits(bytes, from)?;
    let (minute, mut at) = digits(bytes, at + 1)?;
    let (mut second, mut fraction) = (0, 0);
    if bytes.get(at) == Some(&b':') {
        (second, at) = digits(bytes, at + 1)?;
        if bytes.get(at) == Some(&b'.') {
            let (value, end) = digits(bytes, at + 1)?;
            let len = u32::try_from(end - at - 1).ok()?;
            fraction = value * 10i64.pow(9 - len.min(9));
            at = end;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((((hour * 60 + minute) * 60 + second) * SECOND + fraction / TICK * TICK, at))
}

/// Formats an instant with a standard (one letter) or custom .NET format under en-US.
pub fn format(instant: DateTime, format: &str) -> Option<String> {
    let pattern = match format {
        "" | "G" => "M/d/yyyy h:mm:ss tt",
        "d" => "M/d/yyyy",
        "D" => "dddd, MMMM d, yyyy",
        "t" => "h:mm tt",
        "T" => "h:mm:ss tt",
        "f" => "dddd, MMMM d, yyyy h:mm tt",
        "F" | "U" => "dddd, MMMM d, yyyy h:mm:ss tt",
        "g" => "M/d/yyyy h:mm tt",
        "m" | "M" => "MMMM d",
        "y" | "Y" => "MMMM yyyy",
        "s" => "yyyy-MM-dd'T'HH:mm:ss",
        "u" => "yyyy-MM-dd HH:mm:ss'Z'",
        "r" | "R" => "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        "o" | "O" => "yyyy-MM-dd'T'HH:mm:ss.fffffff",
        custom if custom.chars().count() == 1 => return None,
        custom => custom,
    };
    let civil = Civil::of(instant);
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let run = chars[at..].iter().take_while(|x| **x == c).count();
        let mut used = run;
        match c {
            'y' if run <= 2 => push_padded(&mut out, civil.year % 100, run),
            'y' => push_padded(&mut out, civil.year, run),
            'M' if run >= 4 => out.push_str(MONTHS[usize::try_from(civil.month - 1).ok()?]),
            'M' if run == 3 => out.push_str(&MONTHS[usize::try_from(civil.month - 1).ok()?][..3]),
            'M' => push_padded(&mut out, civil.month, run),
            'd' if run >= 4 => out.push_str(DAYS[civil.weekday]),
            'd' if run == 3 => out.push_str(&DAYS[civil.weekday][..3]),
            'd' => push_padded(&mut out, civil.day, run),
            'H' => push_padded(&mut out, civil.hour, run.min(2)),
            'h' => push_padded(&mut out, (civil.hour + 11) % 12 + 1, run.min(2)),
            'm' => push_padded(&mut out, civil.minute, run.min(2)),
            's' => push_padded(&mut out, civil.second, run.min(2)),
            'f' if run <= 7 => out.push_str(&format!("{:07}", civil.ticks)[..run]),
            'F' if run <= 7 => {
                let text = format!("{:07}", civil.ticks);
                let text = text[..run].trim_end_matches('0');
                if text.is_empty() && out.ends_with('.') {
                    out.pop();
                }
                out.push_str(text);
            }
            't' if run >= 2 => out.push_str(if civil.hour < 12 { "AM" } else { "PM" }),
            't' => out.push(if civil.hour < 12 { 'A' } else { 'P' }),
            'K' => {}
            'z' => out.push_str(match run {
                1 => "+0",
                2 => "+00",
                _ => "+00:00",
            }),
            'g' => out.push_str("A.D."),
            '\'' | '"' => {
                let end = chars[at + 1..].iter().position(|x| *x == c)?;
                out.extend(&chars[at + 1..at + 1 + end]);
                used = end + 2;
            }
            '\\' => {
                out.push(*chars.get(at + 1)?);
                used = 2;
            }
            '%' => used = 1,
            other => {
                out.push(other);
                used = 1;
            }
        }
        at += used;
    }
    Some(out)
}

fn push_padded(out: &mut String, value: i64, width: usize) {
    out.push_str(&format!("{value:0width$}"));
}

/// `1.02:03:04.5000000`, the constant form of a time span.
pub fn span_text(span: TimeSpan) -> String {
    // The limits of nanoseconds stand for the limits of ticks.
    match span.nanoseconds {
        i64::MAX => return "10675199.02:48:05.4775807".into(),
        i64::MIN => return "-10675199.02:48:05.4775808".into(),
        _ => {}
    }
    let negative = span.nanoseconds < 0;
    let total = span.nanoseconds.unsigned_abs() / TICK.unsigned_abs();
    let (days, rest) = (total / 864_000_000_000, total % 864_000_000_000);
    let mut out = String::from(if negative { "-" } else { "" });
    if days > 0 {
        out.push_str(&format!("{days}."));
    }
    let seconds = rest / 10_000_000;
    out.push_str(&format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    if rest % 10_000_000 > 0 {
        out.push_str(&format!(".{:07}", rest % 10_000_000));
    }
    out
}

/// Reads `d`, `hh:mm`, `hh:mm:ss`, `d.hh:mm:ss.fffffff`. `Err(true)` means a part was out of its range.
pub fn parse_span(text: &str) -> Result<TimeSpan, bool> {
    let text = text.trim();
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let number = |t: &str| -> Result<i64, bool> {
        if t.is_empty() || !t.bytes().all(|b| b.is_ascii_digit()) { Err(false) } else { t.parse().map_err(|_| true) }
    };
    let parts: Vec<&str> = body.split(':').collect();
    let (days, hours, minutes, seconds, fraction);
    match parts.as_slice() {
        [only] => {
            (days, hours, minutes, seconds, fraction) = (number(only)?, 0, 0, 0, 0);
        }
        [first, rest @ ..] if rest.len() <= 3 => {
            let (d, h, tail) = match first.split_once('.') {
                Some((d, h)) => (number(d)?, number(h)?, rest),
                None if rest.len() == 3 => (number(first)?, number(rest[0])?, &rest[1..]),
                // Hours beyond a day are days: `25:00:00` is 25 days.
                None if rest.len() == 2 && number(first)? > 23 && !rest[1].contains('.') => (number(first)?, number(rest[0])?, &rest[1..]),
                None => (0, number(first)?, rest),
            };
            let (last, f) = match tail.last().and_then(|l| l.split_once('.')) {
                Some((s, f)) if tail.len() == 2 && f.len() <= 7 && !f.is_empty() => {
                    (number(s)?, number(f)? * 10i64.pow(u32::try_from(9 - f.len()).unwrap_or(0)))
                }
                Some(_) => return Err(false),
                None => (tail.last().map_or(Ok(0), |l| number(l))?, 0),
            };
            let (m, s) = if tail.len() == 2 { (number(tail[0])?, last) } else { (last, 0) };
            if h > 23 || m > 59 || s > 59 {
                return Err(true);
            }
            (days, hours, minutes, seconds, fraction) = (d, h, m, s, f);
        }
        _ => return Err(false),
    }
    let total = i128::from(((days.min(11_000_000) * 24 + hours) * 60 + minutes) * 60 + seconds) * i128::from(SECOND) + i128::from(fraction);
    let total = if negative { -total } else { total };
    i64::try_from(total).map(|nanoseconds| TimeSpan { nanoseconds }).map_err(|_| true)
}

/// Formats a time span: `c`, `g`, `G` or a custom pattern.
pub fn format_span(span: TimeSpan, format: &str) -> Option<String> {
    let ticks = span.nanoseconds.unsigned_abs() / TICK.unsigned_abs();
    let (days, hours, minutes) = (ticks / 864_000_000_000, ticks / 36_000_000_000 % 24, ticks / 600_000_000 % 60);
    let (seconds, fraction) = (ticks / 10_000_000 % 60, ticks % 10_000_000);
    let sign = if span.nanoseconds < 0 { "-" } else { "" };
    match format {
        "" | "c" | "t" | "T" => return Some(span_text(span)),
        "g" => {
            let day = if days > 0 { format!("{days}:") } else { String::new() };
            let tail = if fraction > 0 { format!(".{fraction:07}").trim_end_matches('0').to_string() } else { String::new() };
            return Some(format!("{sign}{day}{hours}:{minutes:02}:{seconds:02}{tail}"));
        }
        "G" => return Some(format!("{sign}{days}:{hours:02}:{minutes:02}:{seconds:02}.{fraction:07}")),
        _ => {}
    }
    let chars: Vec<char> = format.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let run = chars[at..].iter().take_while(|x| **x == c).count();
        let mut used = run;
        match c {
            'd' => out.push_str(&format!("{days:0run$}")),
            'h' if run <= 2 => out.push_str(&format!("{hours:0run$}")),
            'm' if run <= 2 => out.push_str(&format!("{minutes:0run$}")),
            's' if run <= 2 => out.push_str(&format!("{seconds:0run$}")),
            'f' if run <= 7 => out.push_str(&format!("{fraction:07}")[..run]),
            'F' if run <= 7 => out.push_str(format!("{fraction:07}")[..run].trim_end_matches('0')),
            '\'' | '"' => {
                let end = chars[at + 1..].iter().position(|x| *x == c)?;
                out.extend(&chars[at + 1..at + 1 + end]);
                used = end + 2;
            }
            '\\' => {
                out.push(*chars.get(at + 1)?);
                used = 2;
            }
            '%' => used = 1,
            _ => return None,
        }
        at += used;
    }
    Some(out)
}
