//! Which account somewhere else: the key that makes an identity unique.

use serde::{Deserialize, Serialize};

use crate::id::ProviderName;

/// Longest subject taken, in bytes. OpenID Connect allows 255 (Core section 2), SAML name ids are longer.
pub const MAX_SUBJECT_BYTES: usize = 1024;

/// Parts never hold it: control characters are refused.
const SEPARATOR: char = '\u{1f}';

/// What names an account at a provider, byte for byte: never an e-mail address, never the name of the configured entry, so that
/// two entries of one provider meet in one identity (ASVS 6.8.1, OpenID Connect Core section 5.7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IdentityKey {
    /// The provider's name, as entries share it.
    pub provider: ProviderName,
    /// The issuer or tenant the subject is unique in.
    pub issuer: String,
    /// The provider's own, never reassigned id of the account: LoopBack's `externalId`.
    pub subject: String,
    /// The client the subject was given to, where a provider's ids are scoped to clients.
    pub client: Option<String>,
}

impl IdentityKey {
    /// A key of these parts; `None` when the subject is empty, blank, too long or holds control characters, or another part does.
    pub fn new(provider: ProviderName, issuer: &str, subject: &str, client: Option<&str>) -> Option<Self> {
        let sound = |text: &str| text.len() <= MAX_SUBJECT_BYTES && !text.chars().any(char::is_control);
        let parts = [provider.as_str(), issuer, client.unwrap_or_default()];
        let good = !subject.trim().is_empty() && sound(subject) && parts.into_iter().all(sound);
        good.then(|| Self {
            provider,
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            client: client.map(str::to_owned),
        })
    }

    /// The one text stores keep unique within a pool.
    pub fn to_text(&self) -> String {
        let client = self.client.as_deref().unwrap_or_default();
        format!(
            "{}{SEPARATOR}{}{SEPARATOR}{client}{SEPARATOR}{}",
            self.provider, self.issuer, self.subject
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(issuer: &str, subject: &str, client: Option<&str>) -> Option<IdentityKey> {
        IdentityKey::new(ProviderName::new("google"), issuer, subject, client)
    }

    #[test]
    fn a_key_without_a_subject_names_nobody() {
        for bad in [
            "",
            " ",
            "\t",
            "a\u{0}b",
            "a\nb",
            &"x".repeat(MAX_SUBJECT_BYTES + 1),
        ] {
            assert_eq!(key("https://issuer.example", bad, None), None, "{bad:?}");
        }
    }

    #[test]
    fn no_two_accounts_share_a_text() {
        let texts = [
            key("a", "b", None),
            key("a", "B", None),
            key("ab", "", Some("x")).or_else(|| key("ab", "c", None)),
            key("a", "c", Some("b")),
            key("a", "bc", None),
        ];
        let mut texts: Vec<String> = texts.into_iter().flatten().map(|key| key.to_text()).collect();
        texts.sort();
        let count = texts.len();
        texts.dedup();
        assert_eq!(texts.len(), count);
    }
}
