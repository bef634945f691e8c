//! Recovery codes: the way back in when every other second factor is lost.

use serde::{Deserialize, Serialize};

use crate::entropy::Entropy;
use crate::secret::{Secret, Token, TokenHash};
use crate::time::Timestamp;

/// Codes in a set.
pub const RECOVERY_CODES: usize = 10;

/// Characters in a code: 24 of 32 are 120 bits, above the 112 from which a plain hash is enough (ASVS 6.5.2).
const LENGTH: usize = 24;
const GROUP: usize = 6;

/// Crockford's base 32: no I, L, O, U, so that handwriting reads back.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The codes of a user that were not used yet, hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryCodes {
    /// Hashes of those that are left.
    pub left: Vec<TokenHash>,
    /// When the set was made.
    pub created: Timestamp,
}

impl RecoveryCodes {
    /// A new set: what to keep, and the codes to show, once.
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> (Self, Vec<Secret>) {
        let codes: Vec<Secret> = std::iter::repeat_with(|| draw_one(entropy))
            .take(RECOVERY_CODES)
            .collect();
        let left = codes.iter().filter_map(|code| hash_of(code.expose())).collect();
        (Self { left, created: now }, codes)
    }

    /// The set without the code that was typed; none if it is not in it.
    pub fn without(&self, typed: &str) -> Option<Self> {
        let hash = hash_of(typed)?;
        let left: Vec<TokenHash> = self.left.iter().filter(|code| **code != hash).copied().collect();
        (left.len() < self.left.len()).then_some(Self {
            left,
            created: self.created,
        })
    }
}

/// Whether a text may be a recovery code, right or wrong.
pub fn looks_like_recovery_code(typed: &str) -> bool {
    normal(typed).is_some()
}

fn draw_one(entropy: &mut dyn Entropy) -> Secret {
    let mut bytes = zeroize::Zeroizing::new([0_u8; LENGTH]);
    entropy.fill(bytes.as_mut_slice());
    let letters = bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte & 31)));
    let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
    for (position, letter) in letters.enumerate() {
        if position > 0 && position % GROUP == 0 {
            text.push('-');
        }
        text.push(char::from(*letter));
    }
    Secret::new(text)
}

/// The one spelling that is hashed: letters large, without blanks and dashes, look-alikes as what they look like.
fn normal(typed: &str) -> Option<Secret> {
    let mut text = String::with_capacity(LENGTH);
    for c in typed.chars().filter(|c| !matches!(c, ' ' | '-')) {
        let c = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let known = u8::try_from(c).is_ok_and(|byte| ALPHABET.contains(&byte));
        if !known || text.len() == LENGTH {
            return None;
        }
        text.push(c);
    }
    (text.len() == LENGTH).then(|| Secret::new(text))
}

fn hash_of(typed: &str) -> Option<TokenHash> {
    normal(typed).map(|code| Token::presented(code.expose()).hash())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chance that is the same in every run, and whose bytes do not come in cycles of 32 as a counter's do.
    struct Shuffled(u64);

    impl Entropy for Shuffled {
        fn fill(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                self.0 = self
                    .0
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                *byte = self.0.to_be_bytes()[0];
            }
        }
    }

    fn drawn() -> (RecoveryCodes, Vec<Secret>) {
        RecoveryCodes::draw(Timestamp::from_millis(1), &mut Shuffled(7))
    }

    #[test]
    fn a_set_has_ten_different_codes_and_keeps_none_of_them() {
        let (kept, codes) = drawn();
        assert_eq!((kept.left.len(), codes.len()), (RECOVERY_CODES, RECOVERY_CODES));
        let mut distinct: Vec<_> = codes.iter().map(Secret::expose).collect();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), RECOVERY_CODES);
        let text = serde_json::to_string(&kept).unwrap();
        assert!(codes.iter().all(|code| !text.contains(code.expose())));
    }

    #[test]
    fn a_spent_recovery_code_never_works_again() {
        let (kept, codes) = drawn();
        let after = kept.without(codes[3].expose()).unwrap();
        assert_eq!(after.left.len(), RECOVERY_CODES - 1);
        assert_eq!(after.without(codes[3].expose()), None);
        assert!(after.without(codes[4].expose()).is_some());
    }

    #[test]
    fn a_code_is_taken_as_people_write_it() {
        let (kept, codes) = drawn();
        let small = codes[0].expose().to_lowercase().replace('-', " ");
        let confused = small.replace('0', "o").replace('1', "l");
        for typed in [small, confused] {
            assert!(kept.without(&typed).is_some(), "{typed}");
        }
        for wrong in ["", "123456", "UUUUUU-UUUUUU-UUUUUU-UUUUUU", &"0".repeat(25)] {
            assert!(!looks_like_recovery_code(wrong), "{wrong}");
        }
    }
}
