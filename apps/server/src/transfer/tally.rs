//! Counting records, and a digest of them that does not depend on their order.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The sum of the SHA-256 of lines, modulo 2²⁵⁶, the least word first: the same for the same lines in whatever order stores list
/// them. It tells accidents, not forgers: whoever may change a line may change the sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineSum([u64; 4]);

impl LineSum {
    fn add(&mut self, line: &[u8]) {
        let digest = Sha256::digest(line);
        let (words, _) = digest.as_chunks::<8>();
        let mut carry = 0;
        // The digest is a number with its most significant byte first.
        for (word, bytes) in self.0.iter_mut().zip(words.iter().rev()) {
            let sum = u128::from(*word) + u128::from(u64::from_be_bytes(*bytes)) + carry;
            (*word, carry) = (low(sum), sum >> 64);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the carry goes on beside it")]
const fn low(sum: u128) -> u64 {
    sum as u64
}

impl fmt::Display for LineSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

impl TryFrom<String> for LineSum {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const NONE: &str = "a digest has 64 hexadecimal digits";
        let (digits, rest) = text.as_bytes().as_chunks::<16>();
        let known = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digits.len() != 4 || !rest.is_empty() || !known {
            return Err(NONE);
        }
        let mut sum = Self::default();
        for (word, digits) in sum.0.iter_mut().rev().zip(digits) {
            let digits = std::str::from_utf8(digits).map_err(|_| NONE)?;
            *word = u64::from_str_radix(digits, 16).map_err(|_| NONE)?;
        }
        Ok(sum)
    }
}

impl Serialize for LineSum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LineSum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// How many lines there are, and their digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub digest: LineSum,
}

impl Tally {
    /// Whether there are no lines.
    pub const fn is_none(&self) -> bool {
        self.count == 0
    }

    /// Counts a line, which is without its end.
    pub fn add(&mut self, line: &[u8]) {
        self.count += 1;
        self.digest.add(line);
    }
}

/// A tally per kind of record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tallies {
    /// Of roles and access rules: one record at most.
    pub access: Tally,
    /// Of users.
    pub users: Tally,
    /// Of client applications.
    pub applications: Tally,
    /// Of sessions.
    pub sessions: Tally,
    /// Of mails that wait.
    pub messages: Tally,
}

impl Tallies {
    /// That of a kind.
    pub const fn of(&mut self, kind: Kind) -> &mut Tally {
        match kind {
            Kind::Access => &mut self.access,
            Kind::User => &mut self.users,
            Kind::Application => &mut self.applications,
            Kind::Session => &mut self.sessions,
            Kind::Message => &mut self.messages,
        }
    }

    /// All records.
    pub const fn count(&self) -> u64 {
        self.access.count
            + self.users.count
            + self.applications.count
            + self.sessions.count
            + self.messages.count
    }
}

/// What travels, in the order it does: whoever is named by another stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Every role and every stored access rule.
    Access,
    /// A user, with everything that hangs on it.
    User,
    /// A client application.
    Application,
    /// A live session.
    Session,
    /// A mail that waits for its carrier.
    Message,
}

impl Kind {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [
        Self::Access,
        Self::User,
        Self::Application,
        Self::Session,
        Self::Message,
    ];

    /// The name its lines begin with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::User => "user",
            Self::Application => "application",
            Self::Session => "session",
            Self::Message => "message",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum_of(lines: &[&str]) -> LineSum {
        let mut tally = Tally::default();
        for line in lines {
            tally.add(line.as_bytes());
        }
        tally.digest
    }

    #[test]
    fn the_sum_of_one_line_is_its_sha_256() {
        assert_eq!(
            sum_of(&["abc"]).to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    /// `ba78…15ad` and `cb8379ac2098aa165029e3938a51da0bcecfc008fd6795f401178647f96c5b34` (of `def`), added by hand.
    #[test]
    fn sums_carry_from_word_to_word_and_forget_what_overflows() {
        assert_eq!(
            sum_of(&["abc", "def"]).to_string(),
            "85fb906baf9a7a00916b2471e7fffc2f7ed321ac937f1090b52885a9eb6c70e1"
        );
    }

    #[test]
    fn the_order_does_not_count_and_every_line_does() {
        assert_eq!(sum_of(&["a", "b", "c"]), sum_of(&["c", "a", "b"]));
        assert_ne!(sum_of(&["a", "b"]), sum_of(&["a", "b", "b"]));
        assert_ne!(sum_of(&["a", "b"]), sum_of(&["a", "c"]));
    }

    #[test]
    fn a_sum_reads_back_from_its_text_and_nothing_else_does() {
        let sum = sum_of(&["a"]);
        assert_eq!(LineSum::try_from(sum.to_string()), Ok(sum));
        for bad in [
            "",
            "00",
            &"g".repeat(64),
            &"A".repeat(64),
            &"0".repeat(65),
            &"ä".repeat(32),
        ] {
            assert!(LineSum::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
