//! The session that a provider opened when it let somebody go on to us, so that both can end together.

use serde::{Deserialize, Serialize};

use crate::id::{EntryName, IdentityId};

/// Most bytes of each text of a [`ProviderSession`] that are kept: what is longer is not, and that session cannot be ended from there.
pub const MAX_SESSION_BYTES: usize = 2048;

/// What a provider calls a session of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderSession {
    /// Which session (SAML's `SessionIndex`); empty where the provider names none.
    pub index: String,
    /// Whose, in the adapter's own form: what it needs to speak of the person again.
    pub subject: String,
}

impl ProviderSession {
    /// Whether it is short enough to keep.
    pub fn is_bounded(&self) -> bool {
        [&self.index, &self.subject]
            .into_iter()
            .all(|text| text.len() <= MAX_SESSION_BYTES)
    }
}

/// A session of ours that stands on one of a provider's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedSession {
    /// The entry it was opened by.
    pub entry: EntryName,
    /// The account.
    pub identity: IdentityId,
    /// The provider's own.
    pub session: ProviderSession,
}
