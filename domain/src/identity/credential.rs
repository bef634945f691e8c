//! What a provider lets us do for somebody.

use serde::{Deserialize, Serialize};

use crate::id::{ApplicationId, CredentialId, EntryName, IdentityId};
use crate::secret::{Sealed, Secret};
use crate::time::{Lifetime, Timestamp};

/// Longest token of a provider that is kept, in bytes.
pub const MAX_TOKEN_BYTES: usize = 16_384;

/// The tokens of one grant. In clear only between a provider's answer and the sealer, and when handed to whoever may have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderTokens {
    /// OAuth 2.0 access token (RFC 6749 section 1.4), or the token of OAuth 1.0a (RFC 5849 section 2.3).
    pub access_token: Secret,
    /// OAuth 1.0a: the secret that signs with the token.
    pub token_secret: Option<Secret>,
    /// OAuth 2.0: buys a new access token.
    pub refresh_token: Option<Secret>,
    /// `Bearer`, where the provider says so; `OAuth` for OAuth 1.0a.
    pub token_type: String,
    /// When the access token dies; none where the provider does not say.
    pub expires: Option<Timestamp>,
    /// What was granted, where the provider says so.
    pub scopes: Option<Vec<String>>,
}

/// How a grant stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialStatus {
    /// It may be used.
    #[default]
    Active,
    /// It may be used for less than was asked for.
    ScopeLost,
    /// The provider takes it no more: the person has to link again.
    Revoked,
}

impl CredentialStatus {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::ScopeLost => "scope_lost",
            Self::Revoked => "revoked",
        }
    }
}

/// One grant of a linked account: LoopBack's `UserCredential`. The tokens are sealed; there is one per identity, entry and client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCredential {
    /// Names it in lists and paths.
    pub id: CredentialId,
    /// The linked account.
    pub identity: IdentityId,
    /// The entry it was granted through.
    pub entry: EntryName,
    /// Whether that entry is for linking: such a grant goes before one that a mere log-in left.
    pub linked: bool,
    /// The client it was granted to.
    pub client_id: String,
    /// The application whose client that is; none for the entry's own.
    pub application: Option<ApplicationId>,
    /// The tokens, for nobody who only reads the store.
    pub tokens: Sealed,
    /// When the access token dies.
    pub expires: Option<Timestamp>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// How it stands.
    pub status: CredentialStatus,
    /// When it was granted.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
}

impl UserCredential {
    /// Whether the access token surely lives for another `margin`. One that never expires does.
    pub fn is_fresh(&self, margin: Lifetime, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now.plus(margin) < expires)
    }
}

/// The stored form, before it is sealed.
#[derive(Serialize, Deserialize)]
struct Stored {
    access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    token_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
}

impl ProviderTokens {
    /// The text to seal.
    pub fn to_secret(&self) -> Secret {
        let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        let stored = Stored {
            access_token: self.access_token.expose().to_owned(),
            token_secret: text(&self.token_secret),
            refresh_token: text(&self.refresh_token),
            token_type: self.token_type.clone(),
            expires: self.expires,
            scopes: self.scopes.clone(),
        };
        Secret::new(serde_json::to_string(&stored).unwrap_or_default())
    }

    /// Reads what [`ProviderTokens::to_secret`] wrote.
    pub fn from_secret(secret: &Secret) -> Option<Self> {
        let stored: Stored = serde_json::from_str(secret.expose()).ok()?;
        Some(Self {
            access_token: Secret::new(stored.access_token),
            token_secret: stored.token_secret.map(Secret::new),
            refresh_token: stored.refresh_token.map(Secret::new),
            token_type: stored.token_type,
            expires: stored.expires,
            scopes: stored.scopes,
        })
    }

    /// Whether every token is short enough to keep.
    pub fn is_bounded(&self) -> bool {
        let optional = [&self.token_secret, &self.refresh_token];
        let mut all = optional.into_iter().flatten().chain([&self.access_token]);
        all.all(|token| token.expose().len() <= MAX_TOKEN_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_their_stored_form() {
        let tokens = ProviderTokens {
            access_token: Secret::new("at"),
            token_secret: None,
            refresh_token: Some(Secret::new("rt")),
            token_type: "Bearer".to_owned(),
            expires: Some(Timestamp::from_millis(5)),
            scopes: Some(vec!["email".to_owned()]),
        };
        assert_eq!(ProviderTokens::from_secret(&tokens.to_secret()), Some(tokens));
    }

    #[test]
    fn debug_shows_no_token() {
        let tokens = ProviderTokens {
            access_token: Secret::new("very-secret"),
            token_secret: None,
            refresh_token: None,
            token_type: "Bearer".to_owned(),
            expires: None,
            scopes: None,
        };
        assert!(!format!("{tokens:?}").contains("very-secret"));
    }
}
