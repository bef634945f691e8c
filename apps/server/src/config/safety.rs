//! `[users.<Plural>]`: second factors, other ways in, and what asks for a fresh proof.

use super::read::Reader;

/// A year, in seconds.
const YEAR: u64 = 31_536_000;

/// Kinds of second factor, as clients name them.
const KINDS: [&str; 4] = ["sms", "totp", "recovery", "passkey"];
/// What changes who can get at an account, or hands out what only its owner may have.
const ACTS: [&str; 7] = [
    "email", "phone", "password", "factors", "link", "unlink", "reveal",
];

/// How the accounts of a pool are kept safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Safety {
    /// Whether a second factor is due.
    pub second_factor: SecondFactor,
    /// Kinds of second factor that may be added.
    pub second_factor_kinds: Vec<String>,
    /// How long a device may be trusted, in seconds; 0 for not at all.
    pub trust_device: u64,
    /// A passkey that verifies its user is a whole login.
    pub passkey_login: bool,
    /// A mailed link is a way to log in.
    pub magic_link: bool,
    /// Lifetime of such a link, in seconds.
    pub magic_link_ttl: u64,
    /// Acts that ask for a proof no older than `fresh_login`.
    pub step_up: Vec<String>,
    /// Owners are told by mail what changed about their accounts.
    pub notices: bool,
    /// How long a changed address can be set back from the old one, in seconds.
    pub revert_email_ttl: u64,
}

/// Whether a second factor is due at login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    /// Never.
    Off,
    /// When the user has one.
    Optional,
    /// Always.
    Required,
}

impl Safety {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let safety = Self {
            second_factor: reader.choice(
                "second_factor",
                ("optional", SecondFactor::Optional),
                &[("off", SecondFactor::Off), ("required", SecondFactor::Required)],
            ),
            second_factor_kinds: words(reader, "second_factor_kinds", &KINDS),
            trust_device: reader.number("trust_device", 0, 0..=YEAR),
            passkey_login: reader.flag("passkey_login", true),
            magic_link: reader.flag("magic_link", false),
            // OWASP ASVS 5.0, 6.5.5: what is sent out of band lives ten minutes at most.
            magic_link_ttl: reader.number("magic_link_ttl", 600, 60..=600),
            step_up: words(reader, "step_up", &ACTS),
            notices: reader.flag("notices", true),
            revert_email_ttl: reader.number("revert_email_ttl", 604_800, 3600..=2_678_400),
        };
        safety.check(reader);
        safety
    }

    fn check(&self, reader: &mut Reader) {
        let has = |kind: &str| self.second_factor_kinds.iter().any(|known| known == kind);
        if self.second_factor == SecondFactor::Required && !(has("sms") || has("totp")) {
            let message = "has no kind that somebody without one could log in with, and `second_factor` is required: name sms or totp \
                           (passkeys are added after the first login)";
            reader.refuse("second_factor_kinds", message);
        }
    }
}

/// Some words of a closed set; all of them by default.
fn words(reader: &mut Reader, key: &str, known: &[&str]) -> Vec<String> {
    let all: Vec<String> = known.iter().copied().map(str::to_owned).collect();
    let shown = format!(
        "[{}]",
        known
            .iter()
            .map(|word| format!("\"{word}\""))
            .collect::<Vec<_>>()
            .join(", ")
    );
    reader.list_or(key, &shown, all, |text| {
        let found = known.contains(&text).then(|| text.to_owned());
        found.ok_or_else(|| format!("must hold some of {}, but has `{text}`", known.join(", ")))
    })
}
