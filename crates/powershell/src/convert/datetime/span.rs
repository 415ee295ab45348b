//! Time spans as text and from text.

use super::pattern::{Token, tokens};
use super::{TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND};
use crate::value::TimeSpan;

/// Why text is no time span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanError {
    /// It does not look like one.
    Format,
    /// A part is beyond its range (`25:61`).
    Range,
}

/// `1.02:03:04.5000000`, the constant form of a time span.
pub fn span_text(span: TimeSpan) -> String {
    let negative = span.ticks < 0;
    let total = span.ticks.unsigned_abs();
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

/// Reads `d`, `hh:mm`, `hh:mm:ss`, `d.hh:mm:ss.fffffff`. `Err(SpanError::Range)` means a part was out of its range.
pub fn parse_span(text: &str) -> Result<TimeSpan, SpanError> {
    let text = text.trim();
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let number = |t: &str| -> Result<i64, SpanError> {
        if t.is_empty() || !t.bytes().all(|b| b.is_ascii_digit()) {
            Err(SpanError::Format)
        } else {
            t.parse().map_err(|_| SpanError::Range)
        }
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
                    (number(s)?, number(f)? * 10i64.pow(u32::try_from(7 - f.len()).unwrap_or(0)))
                }
                Some(_) => return Err(SpanError::Format),
                None => (tail.last().map_or(Ok(0), |l| number(l))?, 0),
            };
            let (m, s) = if tail.len() == 2 { (number(tail[0])?, last) } else { (last, 0) };
            if h > 23 || m > 59 || s > 59 {
                return Err(SpanError::Range);
            }
            (days, hours, minutes, seconds, fraction) = (d, h, m, s, f);
        }
        _ => return Err(SpanError::Format),
    }
    let total = i128::from(((days.min(11_000_000) * 24 + hours) * 60 + minutes) * 60 + seconds) * i128::from(TICKS_PER_SECOND)
        + i128::from(fraction);
    let total = if negative { -total } else { total };
    i64::try_from(total).map(|ticks| TimeSpan { ticks }).map_err(|_| SpanError::Range)
}

/// Formats a time span: `c`, `g`, `G` or a custom pattern; `None` when the pattern is invalid.
pub fn format_span(span: TimeSpan, format: &str) -> Option<String> {
    let ticks = span.ticks.unsigned_abs();
    let (days, hours, minutes) = (ticks / 864_000_000_000, ticks / 36_000_000_000 % 24, ticks / 600_000_000 % 60);
    let (seconds, fraction) = (ticks / 10_000_000 % 60, ticks % 10_000_000);
    let sign = if span.ticks < 0 { "-" } else { "" };
    match format {
        "" | "c" | "t" | "T" => return Some(span_text(span)),
        "g" => {
            let day = if days > 0 { format!("{days}:") } else { String::new() };
            let tail = if fraction > 0 { format!(".{fraction:07}").trim_end_matches('0').to_string() } else { String::new() };
            return Some(format!("{sign}{day}{hours}:{minutes:02}:{seconds:02}{tail}"));
        }
        "G" => return Some(format!("{sign}{days}:{hours:02}:{minutes:02}:{seconds:02}.{fraction:07}")),
        one if one.chars().count() == 1 => return None,
        _ => {}
    }
    let mut out = String::new();
    for token in tokens(format)? {
        match token {
            Token::Letters('d', run) if run <= 8 => out.push_str(&format!("{days:0run$}")),
            Token::Letters('h', run) if run <= 2 => out.push_str(&format!("{hours:0run$}")),
            Token::Letters('m', run) if run <= 2 => out.push_str(&format!("{minutes:0run$}")),
            Token::Letters('s', run) if run <= 2 => out.push_str(&format!("{seconds:0run$}")),
            Token::Letters('f', run) if run <= 7 => out.push_str(&format!("{fraction:07}")[..run]),
            Token::Letters('F', run) if run <= 7 => out.push_str(format!("{fraction:07}")[..run].trim_end_matches('0')),
            Token::Quoted(text) => out.push_str(&text),
            Token::Letters(..) | Token::Other(_) => return None,
        }
    }
    Some(out)
}

/// `[timespan]::ParseExact`: reads a span by `c`, `g`, `G` or a custom pattern.
pub fn parse_span_exact(text: &str, pattern: &str) -> Result<TimeSpan, SpanError> {
    if matches!(pattern, "c" | "t" | "T" | "g" | "G") {
        return parse_span(text);
    }
    let mut rest = text;
    let mut ticks = 0i64;
    for token in tokens(pattern).ok_or(SpanError::Format)? {
        match token {
            Token::Letters(letter @ ('d' | 'h' | 'm' | 's' | 'f'), run) => {
                let most = match letter {
                    'd' if run == 1 => 8,
                    'f' => run,
                    _ => run.max(if run == 1 { 2 } else { run }),
                };
                let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
                if digits < run {
                    return Err(SpanError::Format);
                }
                let number: i64 = rest[..digits].parse().map_err(|_| SpanError::Range)?;
                rest = &rest[digits..];
                ticks += match letter {
                    'd' => number.saturating_mul(TICKS_PER_DAY),
                    'h' if number < 24 => number * TICKS_PER_HOUR,
                    'm' if number < 60 => number * TICKS_PER_MINUTE,
                    's' if number < 60 => number * TICKS_PER_SECOND,
                    'f' => number * 10i64.pow(u32::try_from(7usize.saturating_sub(digits)).unwrap_or(0)),
                    _ => return Err(SpanError::Range),
                };
            }
            Token::Quoted(text) => rest = rest.strip_prefix(&*text).ok_or(SpanError::Format)?,
            Token::Letters(..) | Token::Other(_) => return Err(SpanError::Format),
        }
    }
    if rest.is_empty() { Ok(TimeSpan { ticks }) } else { Err(SpanError::Format) }
}
