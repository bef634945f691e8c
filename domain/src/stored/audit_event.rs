use serde::{Deserialize, Serialize};

use crate::audit::{Actor, AuditEvent, AuditKind, NetworkHash};
use crate::id::{PoolName, UserId, UserKey};
use crate::origin::RequestId;
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
    /// [`AuditEvent::actor`]
    #[serde(default)]
    pub actor: Actor,
    /// [`AuditEvent::network`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkHash>,
    /// [`AuditEvent::request`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
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
            actor: event.actor.clone(),
            network: event.network.clone(),
            request: event.request.as_ref().map(ToString::to_string),
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
            actor: stored.actor,
            network: stored.network,
            request: stored.request.map(RequestId::new),
            detail: stored.detail,
        }
    }
}
