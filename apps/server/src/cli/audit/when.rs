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
            .or_else(|| Timestamp::parse(text).map(Self::At))
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
