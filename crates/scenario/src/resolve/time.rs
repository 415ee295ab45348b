//! Times of scenarios.

use std::time::Duration;

use firedrill_fabric::{SimDuration, SimTime};
use firedrill_syntax::{DurationText, Located, parse_duration, quote};

use super::Resolver;

/// Virtual time at the start unless a scenario says otherwise: a Monday morning in UTC.
pub const DEFAULT_START: SimTime = SimTime(1_772_438_400 * 1_000_000_000);

/// Instants outside these years are refused: certificates, serials and reports assume sane dates.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2100;

impl Resolver<'_> {
    /// A length of time.
    pub(super) fn duration(&mut self, text: &Located<DurationText>) -> Option<SimDuration> {
        self.span_of_time(text).map(sim)
    }

    fn span_of_time(&mut self, text: &Located<DurationText>) -> Option<Duration> {
        match parse_duration(&text.value.0) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.error("bad-duration", text.span, error.to_string(), Some(error.hint()));
                None
            }
        }
    }

    /// A length of time in whole seconds, as DNS and Topology Builder store it.
    pub(super) fn seconds(&mut self, text: &Located<DurationText>) -> Option<u32> {
        let duration = self.span_of_time(text)?;
        if duration.subsec_millis() != 0 {
            let message = format!("{} is not a whole number of seconds", quote(&text.value.0));
            self.error("bad-duration", text.span, message, Some("DNS counts whole seconds: write `1s`".to_owned()));
            return None;
        }
        // The longest duration of a document, ten years, fits.
        u32::try_from(duration.as_secs()).ok()
    }

    /// An instant.
    pub(crate) fn instant(&mut self, text: &Located<String>) -> Option<SimTime> {
        let hint = Some("write it in UTC, as in `2026-03-02T08:00:00Z`".to_owned());
        let Ok(timestamp) = text.parse::<jiff::Timestamp>() else {
            self.error("bad-instant", text.span, format!("{} is not a date and time with a time zone", quote(text)), hint);
            return None;
        };
        let year = jiff::tz::Offset::UTC.to_datetime(timestamp).year();
        if !YEARS.contains(&year) {
            let message = format!("the year {year} is outside {} to {}", YEARS.start(), YEARS.end());
            self.error("bad-instant", text.span, message, hint);
            return None;
        }
        Some(SimTime(i64::try_from(timestamp.as_nanosecond()).unwrap_or(DEFAULT_START.0)))
    }
}

/// A duration of a document, at most ten years, in virtual time.
pub(crate) fn sim(duration: Duration) -> SimDuration {
    SimDuration(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_start_is_what_the_documents_say() {
        assert_eq!(DEFAULT_START.to_string(), "2026-03-02T08:00:00Z");
    }
}
