//! Dates from text: what `[datetime]` and `Parse` guess, and what `ParseExact` is told.

use super::pattern::{Token, standard, tokens};
use super::{Civil, DAYS, MONTHS, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND};
use crate::value::{DateTime, DateTimeKind};

/// Reads a date as `[datetime]` does under en-US and the invariant culture. `today` supplies the date of a bare time.
pub fn parse(text: &str, today: DateTime) -> Option<DateTime> {
    let text = text.trim();
    let mut numbers: Vec<(i64, usize)> = Vec::new();
    let mut month_name = None;
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
    let (year, month, day);
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
    let mut in_day = time.unwrap_or(0);
    match pm {
        Some(_) if time.is_none() || in_day >= 13 * TICKS_PER_HOUR => return None,
        Some(true) if in_day < 12 * TICKS_PER_HOUR => in_day += 12 * TICKS_PER_HOUR,
        Some(false) if in_day >= 12 * TICKS_PER_HOUR => in_day -= 12 * TICKS_PER_HOUR,
        _ => {}
    }
    let instant = Civil::instant(year, month, day, in_day)?;
    // Text with a zone becomes the time of the computer.
    match offset {
        Some(minutes) => Some(instant.plus(-minutes * TICKS_PER_MINUTE)?.with_kind(DateTimeKind::Local)),
        None => Some(instant),
    }
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

/// `10:12`, `10:12:24`, `10:12:24.1234567` at a place; ticks of the day and the place behind it.
fn parse_time(bytes: &[u8], from: usize) -> Option<(i64, usize)> {
    let (hour, at) = digits(bytes, from)?;
    let (minute, mut at) = digits(bytes, at + 1)?;
    let (mut second, mut fraction) = (0, 0);
    if bytes.get(at) == Some(&b':') {
        (second, at) = digits(bytes, at + 1)?;
        if bytes.get(at) == Some(&b'.') {
            let (value, end) = digits(bytes, at + 1)?;
            let len = u32::try_from(end - at - 1).ok()?;
            fraction = if len <= 7 { value * 10i64.pow(7 - len) } else { value / 10i64.pow(len - 7) };
            at = end;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((((hour * 60 + minute) * 60 + second) * TICKS_PER_SECOND + fraction, at))
}

/// What the `DateTimeStyles` of `ParseExact` change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ParseOptions {
    /// Blanks before and behind the text do not count (`AllowWhiteSpaces`).
    pub trim: bool,
    /// Text without a zone is universal time (`AssumeUniversal`), and becomes local time unless `to_universal`.
    pub assume_universal: bool,
    /// Text without a zone is local time (`AssumeLocal`).
    pub assume_local: bool,
    /// The result is universal time (`AdjustToUniversal`).
    pub to_universal: bool,
    /// The kind that the text names is kept (`RoundtripKind`).
    pub round_trip: bool,
}

/// Text that is being read piece by piece.
struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    /// A number of at least `least` and at most `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let digits = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if digits < least {
            return None;
        }
        let (number, rest) = self.0.split_at(digits);
        self.0 = rest;
        number.parse().ok()
    }

    /// One of the names, whole or by its first `cut` letters; its place in the list.
    fn name(&mut self, names: &[&str], cut: Option<usize>) -> Option<usize> {
        let found = names.iter().position(|name| {
            let name = &name[..cut.unwrap_or(name.len())];
            self.0.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
        })?;
        self.0 = &self.0[cut.unwrap_or(names[found].len())..];
        Some(found)
    }

    fn literal(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// `+01:00`, `-5`: minutes.
    fn offset(&mut self, run: usize) -> Option<i64> {
        let sign = match self.0.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.0 = &self.0[1..];
        let hours = self.number(run.min(2), 2)?;
        let minutes = if run >= 3 {
            self.literal(":")?;
            self.number(2, 2)?
        } else {
            0
        };
        Some(sign * (hours * 60 + minutes))
    }
}

/// `ParseExact`: reads a date by a standard or custom pattern; parts that the pattern does not name come from `today`.
pub fn parse_exact(text: &str, pattern: &str, options: ParseOptions, today: DateTime) -> Option<DateTime> {
    let mut rest = Cursor(if options.trim { text.trim() } else { text });
    let (mut year, mut month, mut day) = (None, None, None);
    let (mut ticks, mut hours, mut half, mut pm) = (0i64, 0, false, None);
    let mut offset = None;
    let universal = matches!(pattern, "r" | "R" | "u");
    for token in tokens(standard(pattern)?)? {
        let (letter, run) = match token {
            Token::Letters(letter, run) => (letter, run),
            Token::Quoted(text) => {
                rest.literal(&text)?;
                continue;
            }
            Token::Other(c) => {
                rest.literal(c.encode_utf8(&mut [0; 4]))?;
                continue;
            }
        };
        let two = |rest: &mut Cursor<'_>| rest.number(run.min(2), 2);
        match letter {
            'y' if run <= 2 => year = Some(century(two(&mut rest)?)),
            'y' => year = Some(rest.number(run, run)?),
            'M' if run >= 3 => month = Some(i64::try_from(rest.name(&MONTHS, (run == 3).then_some(3))?).ok()? + 1),
            'M' => month = Some(two(&mut rest)?),
            'd' if run >= 3 => {
                rest.name(&DAYS, (run == 3).then_some(3))?;
            }
            'd' => day = Some(two(&mut rest)?),
            'H' | 'h' => {
                hours = two(&mut rest)?;
                half = letter == 'h';
            }
            'm' => ticks += two(&mut rest).filter(|n| *n < 60)? * TICKS_PER_MINUTE,
            's' => ticks += two(&mut rest).filter(|n| *n < 60)? * TICKS_PER_SECOND,
            'f' | 'F' if run <= 7 => {
                let before = rest.0.len();
                let least = if letter == 'f' { run } else { 0 };
                if let Some(fraction) = rest.number(least.max(usize::from(rest.0.starts_with(|c: char| c.is_ascii_digit()))), run) {
                    ticks += fraction * 10i64.pow(7 - u32::try_from(before - rest.0.len()).ok()?.min(7));
                } else if letter == 'f' {
                    return None;
                }
            }
            't' => pm = Some(rest.name(&["AM", "PM"], (run == 1).then_some(1))? == 1),
            'z' => offset = Some(rest.offset(run)?),
            'K' => {
                if rest.0.starts_with('Z') {
                    rest.literal("Z")?;
                    offset = Some(0);
                } else if rest.0.starts_with(['+', '-']) {
                    offset = Some(rest.offset(3)?);
                }
            }
            'g' => rest.literal("A.D.")?,
            other => {
                for _ in 0..run {
                    rest.literal(other.encode_utf8(&mut [0; 4]))?;
                }
            }
        }
    }
    if !rest.0.is_empty() || hours > 23 || half && hours > 12 {
        return None;
    }
    match pm {
        Some(true) if hours < 12 => hours += 12,
        Some(false) if hours == 12 => hours = 0,
        // Without a designator, twelve o'clock of the short clock is midnight.
        None if half && hours == 12 => hours = 0,
        _ => {}
    }
    let this = Civil::of(today);
    let (year, month, day) = match (year, month, day) {
        (None, None, None) => (this.year, this.month, this.day),
        (year, month, day) => (year.unwrap_or(this.year), month.unwrap_or(1), day.unwrap_or(1)),
    };
    let instant = Civil::instant(year, month, day, ticks + hours * TICKS_PER_HOUR)?;
    let utc = |instant: DateTime| {
        if options.to_universal { instant.with_kind(DateTimeKind::Utc) } else { instant.with_kind(DateTimeKind::Local) }
    };
    Some(match offset {
        Some(0) if options.round_trip => instant.with_kind(DateTimeKind::Utc),
        Some(minutes) => utc(instant.plus(-minutes * TICKS_PER_MINUTE)?),
        None if options.assume_universal || (universal && options.to_universal) => utc(instant),
        None if options.assume_local => utc(instant),
        None => instant,
    })
}
