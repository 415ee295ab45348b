//! Virtual time: instants and lengths in whole nanoseconds.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

/// An instant of virtual time: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct SimTime(pub i64);

/// A length of virtual time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
pub struct SimDuration(pub i64);

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many milliseconds.
    pub const fn from_millis(milliseconds: i64) -> Self {
        Self(milliseconds * 1_000_000)
    }

    /// So many seconds.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1_000_000_000)
    }

    /// So many minutes.
    pub const fn from_mins(minutes: i64) -> Self {
        Self::from_secs(minutes * 60)
    }

    /// Whole seconds, rounded towards zero.
    pub const fn as_secs(self) -> i64 {
        self.0 / 1_000_000_000
    }
}

impl SimTime {
    /// Length since an earlier instant; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> SimDuration {
        SimDuration((self.0 - earlier.0).max(0))
    }
}

impl Add<SimDuration> for SimTime {
    type Output = Self;
    fn add(self, length: SimDuration) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, length: SimDuration) {
        *self = *self + length;
    }
}

impl Sub<SimDuration> for SimTime {
    type Output = Self;
    fn sub(self, length: SimDuration) -> Self {
        Self(self.0.saturating_sub(length.0))
    }
}

impl Add for SimDuration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Mul<i64> for SimDuration {
    type Output = Self;
    fn mul(self, factor: i64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

/// `0:05:30`, with days before it and milliseconds behind it where there are any: `2d 0:05:30.250`.
impl fmt::Display for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let milliseconds = self.0.unsigned_abs() / 1_000_000;
        let (seconds, milliseconds) = (milliseconds / 1000, milliseconds % 1000);
        write!(f, "{sign}")?;
        if seconds >= 86_400 {
            write!(f, "{}d ", seconds / 86_400)?;
        }
        write!(f, "{}:{:02}:{:02}", seconds % 86_400 / 3600, seconds % 3600 / 60, seconds % 60)?;
        if milliseconds > 0 { write!(f, ".{milliseconds:03}") } else { Ok(()) }
    }
}

/// RFC 3339 in UTC, whole seconds.
impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0.div_euclid(1_000_000_000)) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{}ns", self.0),
        }
    }
}
