//! A phone number that can receive a text message.

use std::fmt;

/// A number in E.164 form: `+`, then 8 to 15 digits, the first not zero (ITU-T E.164 section 6).
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    /// Parses a number. Spaces, dashes, dots and parentheses people type are dropped; a leading `00` is read as `+`.
    /// A number without its country code is refused: we would have to guess whom it reaches.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 40 {
            return None;
        }
        let compact: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/'))
            .collect();
        let digits = compact.strip_prefix('+').or_else(|| compact.strip_prefix("00"))?;
        let fits = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        fits.then(|| Self(format!("+{digits}")))
    }

    /// The number, `+` first.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of the number for its owner to recognise it: `•••• 34`.
    pub fn masked(&self) -> String {
        let tail: String = self
            .0
            .chars()
            .skip(self.0.chars().count().saturating_sub(2))
            .collect();
        format!("•••• {tail}")
    }

    /// The country calling code, without `+` (ITU-T E.164 section 6.2.1: one to three digits, none the beginning of another).
    pub fn country_code(&self) -> &str {
        const OF_TWO: [&str; 44] = [
            "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47",
            "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65",
            "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
        ];
        let digits = self.0.trim_start_matches('+');
        let of = |length| digits.get(..length).unwrap_or(digits);
        if digits.starts_with(['1', '7']) {
            of(1)
        } else if OF_TWO.contains(&of(2)) {
            of(2)
        } else {
            of(3)
        }
    }

    /// Rebuilds a number from a store.
    pub fn restore(number: impl Into<String>) -> Self {
        Self(number.into())
    }
}

/// Never the whole number: it may stand in a log.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_knows_its_country_calling_code() {
        for (number, code) in [
            ("+12025550123", "1"),
            ("+491701234567", "49"),
            ("+353851234567", "353"),
            ("+79161234567", "7"),
        ] {
            assert_eq!(Phone::restore(number).country_code(), code);
        }
    }

    #[test]
    fn typed_forms_become_e164() {
        for text in ["+49 170 1234567", "0049-170-1234567", "+49 (170) 123.45.67"] {
            assert_eq!(Phone::parse(text).unwrap().as_str(), "+491701234567");
        }
    }

    #[test]
    fn local_short_long_and_lettered_numbers_are_refused() {
        for bad in [
            "0170 1234567",
            "+12345",
            "+1234567890123456",
            "+49abc1234567",
            "",
            "+0123456789",
        ] {
            assert_eq!(Phone::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_hides_the_number() {
        assert_eq!(
            format!("{:?}", Phone::parse("+491701234567").unwrap()),
            "Phone(•••• 67)"
        );
    }
}
