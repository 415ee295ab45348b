//! Dates as text.

use super::pattern::{Token, standard, tokens};
use super::{Civil, DAYS, MONTHS};
use crate::value::{DateTime, DateTimeKind};

/// Formats an instant with a standard (one letter) or custom .NET format under en-US; `None` when the format is invalid.
pub fn format(instant: DateTime, format: &str) -> Option<String> {
    custom(instant, standard(format)?)
}

/// Formats an instant under the invariant culture.
pub fn format_invariant(instant: DateTime, format: &str) -> Option<String> {
    custom(
        instant,
        match format {
            "" | "G" => "MM/dd/yyyy HH:mm:ss",
            "d" => "MM/dd/yyyy",
            "D" => "dddd, dd MMMM yyyy",
            "t" => "HH:mm",
            "T" => "HH:mm:ss",
            "f" => "dddd, dd MMMM yyyy HH:mm",
            "F" | "U" => "dddd, dd MMMM yyyy HH:mm:ss",
            "g" => "MM/dd/yyyy HH:mm",
            "m" | "M" => "MMMM dd",
            "y" | "Y" => "yyyy MMMM",
            other => standard(other)?,
        },
    )
}

fn custom(instant: DateTime, pattern: &str) -> Option<String> {
    let civil = Civil::of(instant);
    let month = MONTHS[usize::try_from(civil.month - 1).ok()?];
    let mut out = String::new();
    for token in tokens(pattern)? {
        let (letter, run) = match token {
            Token::Letters(letter, run) => (letter, run),
            Token::Quoted(text) => {
                out.push_str(&text);
                continue;
            }
            Token::Other(c) => {
                out.push(c);
                continue;
            }
        };
        match letter {
            'y' if run <= 2 => push_padded(&mut out, civil.year % 100, run),
            'y' => push_padded(&mut out, civil.year, run),
            'M' if run >= 4 => out.push_str(month),
            'M' if run == 3 => out.push_str(&month[..3]),
            'M' => push_padded(&mut out, civil.month, run),
            'd' if run >= 4 => out.push_str(DAYS[civil.weekday]),
            'd' if run == 3 => out.push_str(&DAYS[civil.weekday][..3]),
            'd' => push_padded(&mut out, civil.day, run),
            'H' => push_padded(&mut out, civil.hour, run.min(2)),
            'h' => push_padded(&mut out, (civil.hour + 11) % 12 + 1, run.min(2)),
            'm' => push_padded(&mut out, civil.minute, run.min(2)),
            's' => push_padded(&mut out, civil.second, run.min(2)),
            'f' | 'F' if run > 7 => return None,
            'f' => out.push_str(&format!("{:07}", civil.ticks)[..run]),
            'F' => {
                let text = format!("{:07}", civil.ticks);
                let text = text[..run].trim_end_matches('0');
                if text.is_empty() && out.ends_with('.') {
                    out.pop();
                }
                out.push_str(text);
            }
            't' => out.push_str(&(if civil.hour < 12 { "AM" } else { "PM" })[..run.min(2)]),
            // Computers of the fabric live in UTC.
            'K' => match instant.kind() {
                DateTimeKind::Unspecified => {}
                DateTimeKind::Utc => out.push('Z'),
                DateTimeKind::Local => out.push_str("+00:00"),
            },
            'z' => out.push_str(&"+00:00"[..[2, 3, 6][run.min(3) - 1]]),
            'g' => out.push_str("A.D."),
            other => out.extend(std::iter::repeat_n(other, run)),
        }
    }
    Some(out)
}

fn push_padded(out: &mut String, value: i64, width: usize) {
    let digits = value.to_string();
    out.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
    out.push_str(&digits);
}
