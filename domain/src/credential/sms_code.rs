//! The one-time code of a text message.

use serde::{Deserialize, Serialize};

use crate::entropy::Entropy;
use crate::secret::{CodeMac, MacKey, Secret, TokenHash};
use crate::time::{Lifetime, Timestamp};

/// Digits in a code (ASVS 6.5.3: at least 20 bits; six digits with five tries and 60 seconds, NIST SP 800-63B section 3.1.3).
pub const CODE_DIGITS: usize = 6;

const CODE_COUNT: u32 = 1_000_000;

/// A code that was sent: its authentication code and the moment it dies. Random, never derived from a shared secret; bound to
/// the flow it belongs to, so a code for one login is worth nothing in another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsCode {
    mac: CodeMac,
    expires: Timestamp,
}

impl SmsCode {
    /// Draws a code for one flow: what to keep, and the digits to send.
    pub fn draw(
        flow: &TokenHash,
        life: Lifetime,
        now: Timestamp,
        key: &MacKey,
        entropy: &mut dyn Entropy,
    ) -> (Self, Secret) {
        let digits = Secret::new(format!("{:06}", fair_number(entropy)));
        let kept = Self {
            mac: mac(key, flow, digits.expose()),
            expires: now.plus(life),
        };
        (kept, digits)
    }

    /// Whether `typed` is this code and it still lives. The comparison takes the same time for every wrong code.
    pub fn accepts(&self, typed: &str, flow: &TokenHash, now: Timestamp, key: &MacKey) -> bool {
        let same = self.mac.matches(&mac(key, flow, typed));
        same && now < self.expires
    }

    /// When the code dies.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
}

fn mac(key: &MacKey, flow: &TokenHash, digits: &str) -> CodeMac {
    key.mac("sms-code", &[flow.as_bytes(), digits.as_bytes()])
}

/// A number below a million, each as likely as the other: draws above the largest multiple are thrown away.
fn fair_number(entropy: &mut dyn Entropy) -> u32 {
    let fair_below = u32::MAX - u32::MAX % CODE_COUNT;
    loop {
        let mut bytes = [0_u8; 4];
        entropy.fill(&mut bytes);
        let drawn = u32::from_be_bytes(bytes);
        if drawn < fair_below {
            return drawn % CODE_COUNT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::CountingEntropy;
    use crate::secret::Token;

    const LIFE: Lifetime = Lifetime::from_secs(60);
    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn drawn() -> (SmsCode, Secret, TokenHash, MacKey) {
        let (flow, key) = (Token::presented("flow").hash(), MacKey::new([3; 32]));
        let (code, digits) = SmsCode::draw(&flow, LIFE, NOW, &key, &mut CountingEntropy::default());
        (code, digits, flow, key)
    }

    #[test]
    fn a_code_is_six_digits_and_is_accepted_while_it_lives() {
        let (code, digits, flow, key) = drawn();
        assert_eq!(digits.expose().len(), CODE_DIGITS);
        assert!(code.accepts(digits.expose(), &flow, NOW, &key));
        assert!(!code.accepts(digits.expose(), &flow, NOW.plus(LIFE), &key));
    }

    #[test]
    fn a_code_of_another_flow_is_refused() {
        let (code, digits, _, key) = drawn();
        assert!(!code.accepts(digits.expose(), &Token::presented("other").hash(), NOW, &key));
    }

    #[test]
    fn other_spellings_of_the_code_are_refused() {
        let (code, digits, flow, key) = drawn();
        for typed in [
            format!(" {}", digits.expose()),
            format!("{}\n", digits.expose()),
            String::new(),
        ] {
            assert!(!code.accepts(&typed, &flow, NOW, &key));
        }
    }
}
