//! A moment as operators type it.

use domain::time::{Lifetime, Timestamp};

const DAY: u64 = 86_400;

/// A moment, or how long before now it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So long ago.
    Ago(Lifetime),
    /// Then.
    At(Timestamp),
}

impl When {
    /// Reads `90s`, `30m`, `2h`, `7d`, `2w`, or a date with or without a time (RFC 3339). Without an offset it is UTC.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || "neither a span such as 90s, 30m, 2h, 7d nor a moment such as 2026-11-22T10:00:00Z".to_owned();
        span(text)
            .map(Self::Ago)
            .or_else(|| moment(text).map(Self::At))
            .ok_or_else(wrong)
    }

    /// The moment, seen from `now`.
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(span) => now.minus(span),
            Self::At(moment) => moment,
        }
    }
}

fn span(text: &str) -> Option<Lifetime> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return None,
    };
    let number = text.get(..text.len() - 1)?;
    Some(Lifetime::from_secs(digits(number)?.checked_mul(unit)?))
}

fn digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// A part of fixed length within bounds.
fn part(text: &str, length: usize, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let number = i64::try_from(digits(text)?).ok()?;
    (text.len() == length && bounds.contains(&number)).then_some(number)
}

fn moment(text: &str) -> Option<Timestamp> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = part(parts.next()?, 4, 1970..=9999)?;
    let month = part(parts.next()?, 2, 1..=12)?;
    let day = part(parts.next()?, 2, 1..=days_of(year, month))?;
    if parts.next().is_some() {
        return None;
    }
    let days = days_before(year, month) + day - 1;
    let within = time.map_or(Some(0), millis_of)?;
    Some(Timestamp::from_millis(days * 86_400_000 + within))
}

/// Milliseconds of a time of day; beyond the day's ends where an offset moves it there.
fn millis_of(text: &str) -> Option<i64> {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (text.get(..at)?, offset(text.get(at..)?)?),
        None => (text, 0),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let hours = part(parts.next()?, 2, 0..=23)?;
    let minutes = part(parts.next()?, 2, 0..=59)?;
    let seconds = parts.next().map_or(Some(0), |seconds| part(seconds, 2, 0..=59))?;
    let millis = digits(fraction).and_then(|_| format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok())?;
    let whole = parts
        .next()
        .is_none()
        .then_some(hours * 3600 + minutes * 60 + seconds)?;
    Some((whole - offset) * 1000 + millis)
}

/// Seconds east of Greenwich.
fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let seconds = part(hours, 2, 0..=23)? * 3600 + part(minutes, 2, 0..=59)? * 60;
    Some(if text.starts_with('-') { -seconds } else { seconds })
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970 to the first of a month.
fn days_before(year: i64, month: i64) -> i64 {
    let leaps = |year: i64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    years + (1..month).map(|month| days_of(year, month)).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> String {
        match When::parse(text) {
            Ok(When::At(moment)) => moment.to_iso8601(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_span_is_seen_from_now() {
        let now = Timestamp::from_millis(1_000_000_000);
        let ago = |text: &str| now.since(When::parse(text).unwrap().at(now)).as_secs_ceil();
        assert_eq!(
            (ago("90s"), ago("30m"), ago("2h"), ago("7d"), ago("1w")),
            (90, 1800, 7200, 604_800, 604_800)
        );
    }

    #[test]
    fn moments_read_as_they_are_printed() {
        for same in [
            "2026-11-22T10:00:00.000Z",
            "2000-02-29T23:59:59.999Z",
            "1970-01-01T00:00:00.000Z",
            "2100-03-01T00:00:00.007Z",
        ] {
            assert_eq!(at(same), same);
        }
        assert_eq!(at("2026-11-22"), "2026-11-22T00:00:00.000Z");
        assert_eq!(at("2026-11-22 10:30"), "2026-11-22T10:30:00.000Z");
        assert_eq!(at("2026-11-22T01:00:00+02:00"), "2026-11-21T23:00:00.000Z");
        assert_eq!(at("2026-11-22t23:00:00.5-02:00"), "2026-11-23T01:00:00.500Z");
    }

    #[test]
    fn nonsense_is_no_moment() {
        for bad in [
            "",
            "h",
            "-1h",
            "2x",
            "99999999999999999999d",
            "2026",
            "2026-13-01",
            "2025-02-29",
            "2026-11-22T",
            "2026-11-22T25:00",
            "2026-11-22T10",
            "2026-11-22T10:00:00:00",
            "2026-1-2",
            "yesterday",
            "2026-11-22T10:00+2",
            "ä",
        ] {
            assert!(When::parse(bad).is_err(), "{bad}");
        }
    }
}
