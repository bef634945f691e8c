//! Reading the audit log.

use super::{LoginName, Services};
use crate::audit::{AuditPage, AuditQuery, NetworkHash};
use crate::error::DomainError;
use crate::id::{UserId, UserKey};
use crate::limits::ClientAddress;
use crate::policy::PoolPolicy;
use crate::ports::PageMark;

impl Services {
    /// A page of the events that fit a query, newest first; see [`crate::ports::AuditLog::find`].
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn audit(
        &self,
        query: &AuditQuery,
        after: Option<&PageMark>,
        limit: usize,
    ) -> Result<AuditPage, DomainError> {
        Ok(self.ports.audit.find(query, after, limit).await?)
    }

    /// The form in which the audit log keeps an address.
    pub fn network_hash(&self, address: &ClientAddress) -> NetworkHash {
        NetworkHash::of(address, &self.key)
    }

    /// Whom an operator means by an address, a username or an id. An id may be that of a user who is deleted.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn user_meant(&self, pool: &PoolPolicy, text: &str) -> Result<UserKey, DomainError> {
        let key = UserKey::new(pool.name.clone(), UserId::new(text));
        if !text.contains('@') && self.ports.users.find(&key).await?.is_some() {
            return Ok(key);
        }
        let named = self.named(pool, None, &LoginName::typed(text)).await;
        // Where realms are required a name alone is none.
        let user = named.ok().and_then(|named| named.user);
        Ok(user.map_or(key, |user| user.key))
    }
}
