//! Spans of time as operators write them: `90s`, `10m`, `1h30m`, `2d`, `00:05:00`.

use std::time::Duration;

use crate::diagnostic::{Diagnostic, Diagnostics, quote};
use crate::located::Located;
use crate::nearest::nearest;
use crate::source::Source;
use std::sync::Arc;

/// Longest span of time that documents can name: ten years.
pub const LONGEST: Duration = Duration::from_secs(3_653 * 86_400);

/// Units from the largest to the smallest, with the milliseconds of one.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Spellings that people try, and the unit they mean.
const OTHER_SPELLINGS: [(&str, &str); 20] = [
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("S", "s"),
    ("M", "m"),
    ("H", "h"),
    ("D", "d"),
];

/// Why a text is not a span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing there.
    #[error("an empty text is not a duration")]
    Empty,
    /// A bare number.
    #[error("{0} has no unit")]
    NoUnit(String),
    /// A unit that does not exist.
    #[error("{unit} is not a unit of time")]
    UnknownUnit {
        /// The unit as written, quoted.
        unit: String,
        /// The unit that was probably meant.
        meant: Option<&'static str>,
    },
    /// `30m1h` or `1h2h`.
    #[error("the unit `{unit}` stands after `{before}`")]
    Order {
        /// The unit that comes too late.
        unit: &'static str,
        /// The unit before it.
        before: &'static str,
    },
    /// `1.5h`.
    #[error("{0} has a fraction")]
    Fraction(String),
    /// `-5m`.
    #[error("{0} is negative")]
    Negative(String),
    /// `00:75:00`.
    #[error("{0} is not a time of the form `hh:mm:ss`")]
    Clock(String),
    /// Longer than ten years.
    #[error("{0} is longer than ten years")]
    TooLong(String),
    /// Something else.
    #[error("{0} is not a duration")]
    Malformed(String),
}

impl DurationError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::NoUnit(number) => {
                let number = number.trim_matches('`');
                format!("say which unit: `{number}s` for seconds, `{number}m` for minutes, `{number}h` for hours")
            }
            Self::UnknownUnit { meant: Some(unit), .. } => format!("write `{unit}`; the units are `d`, `h`, `m`, `s` and `ms`"),
            Self::UnknownUnit { meant: None, .. } => "the units are `d`, `h`, `m`, `s` and `ms`".to_owned(),
            Self::Order { .. } => "write the larger unit first and each unit once, as in `1h30m`".to_owned(),
            Self::Fraction(_) => "use a smaller unit: `1h30m` for one and a half hours".to_owned(),
            Self::Clock(_) => "write two digits each, minutes and seconds below 60, as in `00:05:00`".to_owned(),
            Self::Empty | Self::Negative(_) | Self::TooLong(_) | Self::Malformed(_) => {
                "write `90s`, `10m`, `1h30m`, `2d` or `00:05:00`".to_owned()
            }
        }
    }
}

/// Reads `90s`, `10m`, `1h30m`, `2d`, `500ms` (units in falling order, whole numbers) or `hh:mm:ss`.
///
/// # Errors
/// A [`DurationError`] that names the part that is wrong.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    let whole = || quote(text);
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    if text.starts_with('-') {
        return Err(DurationError::Negative(whole()));
    }
    if text.contains(':') {
        return parse_clock(text);
    }
    let mut rest = text;
    let mut total_ms: u64 = 0;
    let mut last: Option<usize> = None;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            return Err(DurationError::Malformed(whole()));
        }
        let (number, tail) = rest.split_at(digits);
        if tail.starts_with('.') || tail.starts_with(',') {
            return Err(DurationError::Fraction(whole()));
        }
        let tail = tail.trim_start();
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_alphabetic() || c == 'µ').len();
        let (unit, tail) = tail.split_at(letters);
        if unit.is_empty() {
            return Err(if tail.is_empty() { DurationError::NoUnit(whole()) } else { DurationError::Malformed(whole()) });
        }
        let Some(index) = UNITS.iter().position(|(name, _)| *name == unit) else {
            return Err(DurationError::UnknownUnit { unit: quote(unit), meant: meant_unit(unit) });
        };
        if let Some(before) = last
            && before >= index
        {
            return Err(DurationError::Order { unit: UNITS[index].0, before: UNITS[before].0 });
        }
        last = Some(index);
        let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(UNITS[index].1));
        total_ms = part.and_then(|ms| total_ms.checked_add(ms)).ok_or_else(|| DurationError::TooLong(whole()))?;
        rest = tail.trim_start();
    }
    bounded(Duration::from_millis(total_ms), whole)
}

fn meant_unit(unit: &str) -> Option<&'static str> {
    let known = OTHER_SPELLINGS.iter().find(|(spelling, _)| *spelling == unit).or_else(|| {
        let near = nearest(unit, OTHER_SPELLINGS.iter().map(|(spelling, _)| *spelling).filter(|s| s.len() > 2))?;
        OTHER_SPELLINGS.iter().find(|(spelling, _)| *spelling == near)
    });
    known.map(|(_, unit)| *unit)
}

fn parse_clock(text: &str) -> Result<Duration, DurationError> {
    let wrong = || DurationError::Clock(quote(text));
    let parts: Vec<&str> = text.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else { return Err(wrong()) };
    let number = |part: &str, digits: std::ops::RangeInclusive<usize>| {
        (digits.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u64>().ok()).flatten()
    };
    let hours = number(hours, 1..=6).ok_or_else(wrong)?;
    let minutes = number(minutes, 2..=2).filter(|m| *m < 60).ok_or_else(wrong)?;
    let seconds = number(seconds, 2..=2).filter(|s| *s < 60).ok_or_else(wrong)?;
    bounded(Duration::from_secs(hours * 3_600 + minutes * 60 + seconds), || quote(text))
}

fn bounded(duration: Duration, whole: impl FnOnce() -> String) -> Result<Duration, DurationError> {
    if duration > LONGEST { Err(DurationError::TooLong(whole())) } else { Ok(duration) }
}

/// A duration in the spelling that [`parse_duration`] reads back: `1h30m`, `0s`.
pub fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_millis() as u64;
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (unit, size) in UNITS {
        if rest >= size {
            out.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    out
}

/// A duration in a document, as written; [`Located::<DurationText>::resolve`] reads it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(transparent)]
pub struct DurationText(pub String);

impl Located<DurationText> {
    /// The duration, or nothing after a diagnostic (`bad-duration`) at its place.
    pub fn resolve(&self, source: &Arc<Source>, diagnostics: &mut Diagnostics) -> Option<Duration> {
        match parse_duration(&self.value.0) {
            Ok(duration) => Some(duration),
            Err(error) => {
                diagnostics.push(Diagnostic::error("bad-duration", source, self.span, error.to_string()).hint(error.hint()));
                None
            }
        }
    }
}

impl schemars::JsonSchema for DurationText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^(\d+d)?\s*(\d+h)?\s*(\d+m)?\s*(\d+s)?\s*(\d+ms)?$|^\d{1,6}:[0-5]\d:[0-5]\d$",
            "examples": ["90s", "10m", "1h30m", "2d", "00:05:00"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_operators() {
        for (text, seconds) in [
            ("90s", 90),
            ("10m", 600),
            ("1h30m", 5_400),
            ("1h 30m", 5_400),
            ("2d", 172_800),
            ("1d1s", 86_401),
            ("00:05:00", 300),
            ("26:00:01", 93_601),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("1s500ms"), Ok(Duration::from_millis(1_500)));
    }

    #[test]
    fn every_mistake_has_its_own_words() {
        for (text, message, hint) in [
            ("", "an empty text is not a duration", "write `90s`"),
            ("300", "`300` has no unit", "`300s` for seconds"),
            ("5 min", "`min` is not a unit of time", "write `m`"),
            ("5minuts", "`minuts` is not a unit of time", "write `m`"),
            ("5M", "`M` is not a unit of time", "write `m`"),
            ("5 fortnights", "`fortnights` is not a unit of time", "the units are"),
            ("30m1h", "the unit `h` stands after `m`", "larger unit first"),
            ("1h1h", "the unit `h` stands after `h`", "larger unit first"),
            ("1.5h", "`1.5h` has a fraction", "smaller unit"),
            ("-5m", "`-5m` is negative", "write `90s`"),
            ("00:75:00", "`00:75:00` is not a time of the form `hh:mm:ss`", "below 60"),
            ("5:00", "`5:00` is not a time of the form `hh:mm:ss`", "two digits"),
            ("99999d", "`99999d` is longer than ten years", "write"),
            ("99999999999999999999s", "`99999999999999999999s` is longer than ten years", "write"),
            ("soon", "`soon` is not a duration", "write"),
        ] {
            let error = parse_duration(text).unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
            assert!(error.hint().contains(hint), "{text}: {}", error.hint());
        }
    }

    #[test]
    fn formatting_reads_back() {
        for text in ["1d2h3m4s5ms", "90s", "10m", "0s"] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }
        assert_eq!(format_duration(Duration::from_secs(90)), "1m30s");
    }
}
