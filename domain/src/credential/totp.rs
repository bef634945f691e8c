//! Authenticator apps: time-based one-time passwords (RFC 6238), six digits every thirty seconds.

use serde::{Deserialize, Serialize};
use totp_rs::{Algorithm, Builder, Totp};

use crate::entropy::Entropy;
use crate::id::FactorId;
use crate::secret::{Sealed, Secret};
use crate::time::Timestamp;

/// Bytes in a secret: as many as HMAC-SHA-1 gives (RFC 4226 section 4, R6, recommends 160 bits).
pub const TOTP_SECRET_BYTES: usize = 20;

/// Seconds a code is shown (RFC 6238 section 5.2).
pub const TOTP_STEP_SECONDS: u64 = 30;

/// Steps a clock may be off in either direction (RFC 6238 section 5.2 allows one).
const SKEW: u16 = 1;

/// An authenticator app of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpApp {
    /// Names it in lists.
    pub id: FactorId,
    /// What its owner calls it.
    pub name: String,
    /// Its secret: base32 text, sealed for its owner.
    pub secret: Sealed,
    /// The newest step whose code was taken: neither this one nor an older one ever is again (RFC 6238 section 5.2, ASVS 6.5.1).
    pub last_step: u64,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last used to log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Timestamp>,
}

/// The secret of an authenticator app in clear: base32, as apps take it.
#[derive(Clone, Debug)]
pub struct TotpSecret(Secret);

impl TotpSecret {
    /// A new one.
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = zeroize::Zeroizing::new([0_u8; TOTP_SECRET_BYTES]);
        entropy.fill(bytes.as_mut_slice());
        let secret = totp_rs::Secret::from(bytes.to_vec());
        Self(Secret::new(secret.to_base32()))
    }

    /// One that was unsealed.
    pub fn opened(secret: Secret) -> Self {
        Self(secret)
    }

    /// The base32 text: shown once, and sealed.
    pub fn expose(&self) -> &Secret {
        &self.0
    }

    /// What the QR picture of its enrolment says (the `otpauth:` address that authenticator apps read). `account` names the user
    /// within `issuer`.
    pub fn enrolment_uri(&self, issuer: &str, account: &str) -> Option<Secret> {
        // The parts are parted by colons: names must not hold any.
        let (issuer, account) = (issuer.replace(':', " "), account.replace(':', " "));
        let totp = self
            .builder()?
            .with_issuer(Some(issuer))
            .with_account_name(account)
            .build()
            .ok()?;
        totp.to_url().ok().map(Secret::new)
    }

    /// The step whose code was typed: the present one or a neighbour, and later than `last_step`. Blanks within are as apps show them.
    pub fn step_of(&self, typed: &str, last_step: u64, now: Timestamp) -> Option<u64> {
        let digits: String = typed.chars().filter(|c| *c != ' ').collect();
        let seconds = u64::try_from(now.as_millis()).ok()? / 1000;
        let step = self.totp()?.check(&digits, seconds)?;
        (step > last_step).then_some(step)
    }

    fn totp(&self) -> Option<Totp> {
        self.builder()?.build().ok()
    }

    fn builder(&self) -> Option<Builder> {
        let secret = totp_rs::Secret::try_from_base32(self.0.expose()).ok()?;
        Some(
            Builder::new()
                .with_algorithm(Algorithm::SHA1)
                .with_digits(6)
                .with_skew(SKEW)
                .with_step_duration(TOTP_STEP_SECONDS)
                .with_secret(secret),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::CountingEntropy;

    /// The secret of RFC 6238 appendix B.
    fn published() -> TotpSecret {
        TotpSecret::opened(Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
    }

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn the_published_codes_are_right_at_their_moments() {
        for (seconds, code, step) in [
            (59, "287082", 1),
            (1_111_111_109, "081804", 37_037_036),
            (1_234_567_890, "005924", 41_152_263),
            (20_000_000_000, "353130", 666_666_666),
        ] {
            assert_eq!(published().step_of(code, 0, at(seconds)), Some(step), "{seconds}");
        }
    }

    #[test]
    fn a_neighbouring_step_is_taken_and_no_further_one() {
        for (off, taken) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let step = published().step_of("005924", 0, at(1_234_567_890 + off));
            assert_eq!(step.is_some(), taken, "{off}");
        }
    }

    #[test]
    fn a_used_step_and_older_ones_are_never_taken_again() {
        let now = at(1_234_567_890);
        let step = published().step_of("005 924", 0, now).unwrap();
        assert_eq!(published().step_of("005924", step, now), None);
        assert_eq!(published().step_of("005924", step + 1, now), None);
    }

    #[test]
    fn other_spellings_are_no_codes() {
        for typed in ["", "5924", "005924\n", "+05924", "٠٠٥٩٢٤", &"0".repeat(5000)] {
            assert_eq!(
                published().step_of(typed, 0, at(1_234_567_890)),
                None,
                "{typed:.20}"
            );
        }
    }

    #[test]
    fn what_the_picture_says_can_be_read_by_an_app() {
        let secret = TotpSecret::draw(&mut CountingEntropy::default());
        let uri = secret.enrolment_uri("Shop: one", "ann@example.com").unwrap();
        assert!(uri.expose().starts_with("otpauth://totp/"), "{}", uri.expose());
        assert!(uri.expose().contains(secret.expose().expose()));
        assert_eq!(secret.expose().expose().len(), 32);
    }
}
