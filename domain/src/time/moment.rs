//! Moments as people and programs write them.

use super::{MILLIS_PER_DAY, Timestamp};

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

/// A date, or a date and a time of day; see [`Timestamp::parse`].
pub(super) fn moment(text: &str) -> Option<Timestamp> {
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
    Some(Timestamp::from_millis(days * MILLIS_PER_DAY + within))
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

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        for millis in [0, 951_868_799_999, 1_795_287_972_795, 4_107_542_400_007] {
            let moment = Timestamp::from_millis(millis);
            assert_eq!(Timestamp::parse(&moment.to_iso8601()), Some(moment));
        }
        let noon = Timestamp::parse("2026-11-22T12:00:00Z");
        assert!(noon.is_some());
        for same in [
            "2026-11-22 12:00",
            "2026-11-22T14:00:00+02:00",
            "2026-11-22t12:00:00.000z",
        ] {
            assert_eq!(Timestamp::parse(same), noon, "{same}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for bad in [
            "",
            "now",
            "2026",
            "2026-13-01",
            "2025-02-29",
            "2026-11-22T25:00",
            "2026-1-2",
            "ä",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }
}
