//! Who somebody is elsewhere, and what we may do there for them.

mod credential;
mod entry;
mod key;
mod profile;
mod session;

pub use credential::{CredentialStatus, MAX_TOKEN_BYTES, ProviderTokens, UserCredential};
pub use entry::{MappedField, ProviderClient, ProviderEntry, RoleRule, RoleSource, SubjectScope};
pub use key::{IdentityKey, MAX_SUBJECT_BYTES};
pub use profile::{PersonName, Profile, ProfileEmail};
pub use session::{FederatedSession, MAX_SESSION_BYTES, ProviderSession};

use serde::{Deserialize, Serialize};

use crate::id::{IdentityId, RoleName};
use crate::time::Timestamp;

/// Most identities, and most credentials, one user may have.
pub const MAX_LINKS: usize = 50;

/// An account somewhere else that belongs to a user here: LoopBack's `UserIdentity`. Whoever proves it logs in as that user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Names it in lists and paths.
    pub id: IdentityId,
    /// Which account it is; unique in the pool.
    pub key: IdentityKey,
    /// LoopBack's `authScheme`, as the entry writes it.
    pub auth_scheme: String,
    /// What the provider last said about the person.
    pub profile: Profile,
    /// The roles it gives its user: what `roleMapping` made of the groups and values of the last log-in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleName>,
    /// When it was linked.
    pub created: Timestamp,
    /// When the provider last confirmed it.
    pub modified: Timestamp,
}
