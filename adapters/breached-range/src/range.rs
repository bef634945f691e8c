//! A hash in two parts: what is asked for, and what is looked for in the answer.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use domain::credential::Password;
use domain::secret::Secret;

/// Hexadecimal characters that leave the machine.
const PREFIX: usize = 5;
/// Those that do not.
const SUFFIX: usize = 35;

/// What is asked about one password.
pub struct Asked {
    prefix: String,
    suffix: Secret,
}

impl Asked {
    /// About a password.
    pub fn about(password: &Password) -> Self {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, password.expose().as_bytes());
        let nibbles = hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let mut hex = nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16));
        let prefix: String = hex.by_ref().take(PREFIX).collect();
        Self {
            prefix: prefix.to_ascii_uppercase(),
            suffix: Secret::new(hex.collect::<String>()),
        }
    }

    /// The part that is asked for.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether the other part is in an answer; none of an answer that is no range. A count of zero is padding.
    pub fn is_in(&self, body: &[u8]) -> Option<bool> {
        let text = std::str::from_utf8(body).ok()?;
        let mut found = false;
        let mut lines = 0;
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (suffix, count) = line.split_once(':')?;
            let is_suffix = suffix.len() == SUFFIX && suffix.bytes().all(|byte| byte.is_ascii_hexdigit());
            let count: u64 = count.trim_end().parse().ok().filter(|_| is_suffix)?;
            found |= count > 0 && suffix.eq_ignore_ascii_case(self.suffix.expose());
            lines += 1;
        }
        // A range is never empty: that would be somebody else's page.
        (lines > 0).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_PASSWORD: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";
    const OTHER: &str = "0018A45C4D1DEF81644B54AB7F969B88D65";

    fn is_in(body: &str) -> Option<bool> {
        Asked::about(&Password::typed("password")).is_in(body.as_bytes())
    }

    #[test]
    fn five_characters_are_asked_for_and_the_rest_is_looked_for() {
        assert_eq!(Asked::about(&Password::typed("password")).prefix(), "5BAA6");
        assert_eq!(is_in(&format!("{OTHER}:1\r\n{OF_PASSWORD}:10434004")), Some(true));
        assert_eq!(is_in(&format!("{}:2\n", OF_PASSWORD.to_lowercase())), Some(true));
        assert_eq!(is_in(&format!("{OTHER}:1\r\n")), Some(false));
    }

    #[test]
    fn padding_is_nobodys_password() {
        assert_eq!(is_in(&format!("{OF_PASSWORD}:0\r\n{OTHER}:3")), Some(false));
    }

    #[test]
    fn what_is_no_range_says_nothing() {
        for body in [
            "",
            "\r\n",
            "<html>please log in to this network</html>",
            "null",
            OF_PASSWORD,
            &format!("{OF_PASSWORD}:many"),
            &format!("{OTHER}:1\n5BAA6{OF_PASSWORD}:1"),
        ] {
            assert_eq!(is_in(body), None, "{body}");
        }
        let asked = Asked::about(&Password::typed("password"));
        assert_eq!(asked.is_in(&[0xff, 0xfe]), None);
    }
}
