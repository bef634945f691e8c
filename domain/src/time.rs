//! Time as data. Nothing here reads a clock.

mod moment;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored as POSIX does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A span of time in milliseconds, never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lifetime(u64);

const MILLIS_PER_DAY: i64 = 86_400_000;

impl Timestamp {
    /// A moment from its milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment `span` later; saturates at the end of time.
    #[must_use]
    pub fn plus(self, span: Lifetime) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)))
    }

    /// The moment `span` earlier; saturates at the beginning of time.
    #[must_use]
    pub fn minus(self, span: Lifetime) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.0).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero when it lies in the future, so a clock that jumps back never yields a negative age.
    pub fn since(self, earlier: Self) -> Lifetime {
        Lifetime(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The moment a date with or without a time (RFC 3339) means; without an offset it is UTC. None for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        moment::moment(text)
    }

    /// `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form LoopBack writes dates in.
    pub fn to_iso8601(self) -> String {
        let (year, month, day) = civil_from_days(self.0.div_euclid(MILLIS_PER_DAY));
        let millis = self.0.rem_euclid(MILLIS_PER_DAY);
        let (seconds, millis) = (millis / 1000, millis % 1000);
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{millis:03}Z",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    }
}

/// Days since the epoch to (year, month, day) in the proleptic Gregorian calendar: eras of 400 years, years that start in March.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

impl Lifetime {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// A span of milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The span in milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The span in seconds, fractions kept (LoopBack accepts a `ttl` of 1.5).
    #[expect(
        clippy::cast_precision_loss,
        reason = "a span of 285,000 years is still exact"
    )]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Whole seconds, rounded up: what `Retry-After` may say without sending anyone back too early.
    pub const fn as_secs_ceil(self) -> u64 {
        self.0.div_ceil(1000)
    }

    /// The span doubled `times` times; saturates.
    #[must_use]
    pub fn doubled(self, times: u32) -> Self {
        Self(
            1_u64
                .checked_shl(times)
                .map_or(u64::MAX, |factor| self.0.saturating_mul(factor)),
        )
    }
}

impl From<Lifetime> for Duration {
    fn from(span: Lifetime) -> Self {
        Self::from_millis(span.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_iso8601())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_as_loopback_writes_them() {
        assert_eq!(Timestamp::from_millis(0).to_iso8601(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            Timestamp::from_millis(1_795_287_972_795).to_iso8601(),
            "2026-11-21T19:06:12.795Z"
        );
        assert_eq!(
            Timestamp::from_millis(951_782_400_000).to_iso8601(),
            "2000-02-29T00:00:00.000Z"
        );
        assert_eq!(
            Timestamp::from_millis(-1).to_iso8601(),
            "1969-12-31T23:59:59.999Z"
        );
    }

    #[test]
    fn an_age_is_never_negative() {
        let now = Timestamp::from_millis(5);
        assert_eq!(now.since(Timestamp::from_millis(9)), Lifetime::ZERO);
    }

    #[test]
    fn a_retry_hint_is_rounded_up() {
        assert_eq!(Lifetime::from_millis(1).as_secs_ceil(), 1);
        assert_eq!(Lifetime::from_secs(3).as_secs_ceil(), 3);
    }

    #[test]
    fn doubling_saturates() {
        assert_eq!(Lifetime::from_secs(1).doubled(3), Lifetime::from_secs(8));
        assert_eq!(Lifetime::from_secs(1).doubled(200).as_millis(), u64::MAX);
    }
}
