//! Instants and spans as .NET counts them: ticks of 100 nanoseconds.

/// Nanoseconds of one tick.
const NANOSECONDS_PER_TICK: i64 = 100;
/// Ticks from 0001-01-01 to 1970-01-01.
const UNIX_EPOCH: i64 = 621_355_968_000_000_000;
/// Ticks of `[datetime]::MaxValue`.
const LAST: i64 = 3_155_378_975_999_999_999;

/// What an instant is relative to. Computers of the fabric live in UTC, so that the kinds differ only in how they print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DateTimeKind {
    /// Read from text without a zone.
    Unspecified,
    /// Coordinated Universal Time.
    Utc,
    /// The time of the computer: `Get-Date`, and everything that the world tells.
    Local,
}

/// A `System.DateTime`. Two instants are equal when their ticks are; the kind does not count.
#[derive(Debug, Clone, Copy)]
pub struct DateTime {
    ticks: i64,
    kind: DateTimeKind,
}

impl DateTime {
    /// `[datetime]::MinValue`.
    pub const MIN: Self = Self { ticks: 0, kind: DateTimeKind::Unspecified };
    /// `[datetime]::MaxValue`.
    pub const MAX: Self = Self { ticks: LAST, kind: DateTimeKind::Unspecified };

    /// An instant from its ticks since 0001-01-01; `None` outside the years 1 to 9999.
    pub fn from_ticks(ticks: i64, kind: DateTimeKind) -> Option<Self> {
        (0..=LAST).contains(&ticks).then_some(Self { ticks, kind })
    }

    /// The local instant of a number of nanoseconds since 1970-01-01T00:00:00Z.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self { ticks: UNIX_EPOCH + nanoseconds.div_euclid(NANOSECONDS_PER_TICK), kind: DateTimeKind::Local }
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z; instants beyond what 64 bits hold (1677 to 2262) become the nearest that fits.
    pub const fn nanoseconds(self) -> i64 {
        (self.ticks - UNIX_EPOCH).saturating_mul(NANOSECONDS_PER_TICK)
    }

    /// Ticks since 0001-01-01.
    pub const fn ticks(self) -> i64 {
        self.ticks
    }

    /// Ticks since 1970-01-01.
    pub const fn unix_ticks(self) -> i64 {
        self.ticks - UNIX_EPOCH
    }

    /// Utc, local or neither.
    pub const fn kind(self) -> DateTimeKind {
        self.kind
    }

    /// The same instant of another kind (`[datetime]::SpecifyKind`; zones do not differ here).
    #[must_use]
    pub const fn with_kind(self, kind: DateTimeKind) -> Self {
        Self { ticks: self.ticks, kind }
    }

    /// The instant a number of ticks later, of the same kind; `None` when no calendar reaches it.
    pub fn plus(self, ticks: i64) -> Option<Self> {
        Self::from_ticks(self.ticks.checked_add(ticks)?, self.kind)
    }
}

impl PartialEq for DateTime {
    fn eq(&self, other: &Self) -> bool {
        self.ticks == other.ticks
    }
}

impl Eq for DateTime {}

impl PartialOrd for DateTime {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DateTime {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.ticks.cmp(&other.ticks)
    }
}

impl std::hash::Hash for DateTime {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.ticks.hash(state);
    }
}

/// A `System.TimeSpan`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeSpan {
    /// Length in ticks of 100 nanoseconds, negative spans included.
    pub ticks: i64,
}

impl TimeSpan {
    /// No time at all.
    pub const ZERO: Self = Self { ticks: 0 };

    /// A span of so many nanoseconds, parts of a tick cut off.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self { ticks: nanoseconds / NANOSECONDS_PER_TICK }
    }

    /// Length in nanoseconds; spans beyond 292 years become the longest that 64 bits hold.
    pub const fn nanoseconds(self) -> i64 {
        self.ticks.saturating_mul(NANOSECONDS_PER_TICK)
    }
}
