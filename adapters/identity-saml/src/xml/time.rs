use domain::time::{Lifetime, Timestamp};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// An `xs:dateTime` with a zone (SAML Core section 1.3.3 wants UTC). Fractions finer than milliseconds are cut off.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    let (date, rest) = text.split_once('T')?;
    let (clock, offset) = split_zone(rest)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(c, f)| (c, Some(f)));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) || minute > 59 || second > 59
    {
        return None;
    }
    // 24:00:00 is the end of a day.
    if hour > 24 || (hour == 24 && (minute, second) != (0, 0)) {
        return None;
    }
    let seconds = (hour * 60 + minute - offset) * 60 + second;
    let millis = days_from_civil(year, month, day) * MILLIS_PER_DAY + seconds * 1000 + millis_of(fraction)?;
    Some(Timestamp::from_millis(millis))
}

/// The zone in minutes.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let at = text.len().checked_sub(6)?;
    let (clock, zone) = (text.get(..at)?, text.get(at..)?);
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let [hours, minutes] = numbers(zone.get(1..)?, ':', [2, 2])?;
    (hours <= 14 && minutes <= 59).then_some((clock, sign * (hours * 60 + minutes)))
}

fn millis_of(fraction: Option<&str>) -> Option<i64> {
    let Some(fraction) = fraction else {
        return Some(0);
    };
    let sound = (1..=20).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    digits.parse().ok().filter(|_| sound)
}

fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (slot, width) in found.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar: eras of 400 years, years that start in March.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// An `xs:duration` in days, hours, minutes and seconds, as `cacheDuration` has it; years and months are no certain time.
pub fn parse_duration(text: &str) -> Option<Lifetime> {
    let text = text.trim().strip_prefix('P')?;
    let (days, clock) = text.split_once('T').unwrap_or((text, ""));
    let mut seconds = 0_u64;
    for (part, units) in [
        (days, &[('D', 86_400_u64)][..]),
        (clock, &[('H', 3600), ('M', 60), ('S', 1)][..]),
    ] {
        let mut rest = part;
        for (unit, worth) in units {
            if let Some((number, after)) = rest.split_once(*unit) {
                let whole = number.split('.').next()?;
                let number: u64 = whole.parse().ok()?;
                seconds = seconds.saturating_add(number.saturating_mul(*worth));
                rest = after;
            }
        }
        if !rest.is_empty() {
            return None;
        }
    }
    Some(Lifetime::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for text in [
            "1970-01-01T00:00:00.000Z",
            "2026-11-22T14:35:46.123Z",
            "2024-02-29T23:59:59.999Z",
        ] {
            assert_eq!(parse_time(text).unwrap().to_iso8601(), text);
        }
        let zoned = parse_time("2026-01-01T01:30:00.1234567+01:30").unwrap();
        assert_eq!(zoned.to_iso8601(), "2026-01-01T00:00:00.123Z");
        assert_eq!(
            parse_time("2025-12-31T24:00:00Z").unwrap().to_iso8601(),
            "2026-01-01T00:00:00.000Z"
        );
    }

    #[test]
    fn a_time_without_a_zone_or_out_of_the_calendar_is_none() {
        for text in [
            "",
            "2026-01-01T00:00:00",
            "2026-01-01",
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-1-1T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "2026-01-01T00:00:00é0:00",
            "99999-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_counted_in_seconds() {
        assert_eq!(parse_duration("PT1H30M"), Some(Lifetime::from_secs(5400)));
        assert_eq!(parse_duration("P1DT1.5S"), Some(Lifetime::from_secs(86_401)));
        assert_eq!(parse_duration("P1M"), None);
        assert_eq!(parse_duration("soon"), None);
    }
}
