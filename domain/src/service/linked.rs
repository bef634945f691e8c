//! What a user's linked accounts are good for: unlinking them, forgetting their grants, using their fresh tokens.

use super::{Authenticated, Services};
use crate::error::{Denial, DomainError};
use crate::id::{CredentialId, IdentityId, UserKey};
use crate::identity::{CredentialStatus, ProviderTokens};
use crate::limits::ClientAddress;
use crate::policy::PoolPolicy;

/// A provider's token that surely still works.
#[derive(Clone, Debug)]
pub struct FreshToken {
    /// The grant it is of.
    pub credential: CredentialId,
    /// The provider.
    pub provider: String,
    /// How the grant stands: never `revoked`.
    pub status: CredentialStatus,
    /// The tokens; the refresh token is not among them.
    pub tokens: ProviderTokens,
}

impl Services {
    /// Unlinks an account and forgets its grants. All other sessions of the user end.
    ///
    /// # Errors
    /// [`Denial::LinkUnknown`], [`Denial::LastWayIn`]; ports that do not answer.
    pub async fn unlink(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        identity: &IdentityId,
        address: &ClientAddress,
    ) -> Result<(), DomainError> {
        let _ = (pool, caller, identity, address);
        Err(Denial::Unexpected.into())
    }

    /// Forgets one grant; the account stays linked and logs in as before.
    ///
    /// # Errors
    /// [`Denial::LinkUnknown`]; ports that do not answer.
    pub async fn forget_credential(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        credential: &CredentialId,
        address: &ClientAddress,
    ) -> Result<(), DomainError> {
        let _ = (pool, caller, credential, address);
        Err(Denial::Unexpected.into())
    }

    /// A token of a linked account that still works, bought anew if need be: once, however many ask at once. `which` names a grant
    /// by its id, an entry, or a provider; of several the one of a linking entry goes first, then the newest.
    ///
    /// # Errors
    /// [`Denial::LinkUnknown`], [`Denial::CredentialRevoked`], [`Denial::ProviderRefused`], [`Denial::ProviderUnavailable`]; ports
    /// that do not answer.
    pub async fn fresh_token(
        &self,
        pool: &PoolPolicy,
        user: &UserKey,
        which: &str,
        address: &ClientAddress,
    ) -> Result<FreshToken, DomainError> {
        let _ = (pool, user, which, address);
        Err(Denial::Unexpected.into())
    }
}
