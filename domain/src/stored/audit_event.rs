use serde::{Deserialize, Serialize};

use crate::audit::{AuditEvent, AuditKind};
use crate::id::{PoolName, UserId, UserKey};
use crate::limits::ClientAddress;
use crate::time::Timestamp;

/// An [`AuditEvent`] as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAuditEvent {
    /// [`AuditEvent::at`], milliseconds since 1970.
    pub at: Timestamp,
    /// The stable name of [`AuditEvent::kind`].
    pub kind: AuditKind,
    /// The pool of [`AuditEvent::user`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolName>,
    /// The id of [`AuditEvent::user`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// [`AuditEvent::address`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<ClientAddress>,
    /// [`AuditEvent::detail`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl From<&AuditEvent> for StoredAuditEvent {
    fn from(event: &AuditEvent) -> Self {
        let user = event.user.as_ref();
        Self {
            at: event.at,
            kind: event.kind,
            pool: user.map(|user| user.pool.clone()),
            user: user.map(|user| user.id.clone()),
            address: event.address.clone(),
            detail: event.detail.clone(),
        }
    }
}

impl From<StoredAuditEvent> for AuditEvent {
    fn from(stored: StoredAuditEvent) -> Self {
        Self {
            at: stored.at,
            kind: stored.kind,
            user: stored
                .pool
                .zip(stored.user)
                .map(|(pool, id)| UserKey::new(pool, id)),
            address: stored.address,
            detail: stored.detail,
        }
    }
}
