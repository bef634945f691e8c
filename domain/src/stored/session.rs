use serde::{Deserialize, Serialize};

use crate::id::{PoolName, RefreshId, SessionId, UserId, UserKey};
use crate::identity::FederatedSession;
use crate::limits::ClientAddress;
use crate::origin::Agent;
use crate::secret::TokenHash;
use crate::session::{Factor, Impersonator, Session, TokenLife};
use crate::time::{Lifetime, Timestamp};
use crate::user::SessionEpoch;

/// A [`Session`] as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSession {
    /// [`Session::token`], a hash.
    pub token: TokenHash,
    /// [`Session::id`]
    pub id: SessionId,
    /// The pool of [`Session::user`].
    pub pool: PoolName,
    /// The id of [`Session::user`].
    pub user: UserId,
    /// [`Session::epoch`]
    pub epoch: SessionEpoch,
    /// [`Session::created`], milliseconds since 1970.
    pub created: Timestamp,
    /// [`Session::life`]
    pub life: TokenLife,
    /// [`Session::factors`], by their names of RFC 8176.
    #[serde(default)]
    pub factors: Vec<Factor>,
    /// [`Session::proven`], milliseconds since 1970; [`Session::created`] where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<Timestamp>,
    /// [`Session::last_used`], milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Timestamp>,
    /// [`Session::idle`], milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Lifetime>,
    /// [`Session::agent`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// [`Session::address`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<ClientAddress>,
    /// [`Session::refresh`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshId>,
    /// [`Session::federated`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated: Option<Box<FederatedSession>>,
    /// [`Session::impersonator`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impersonator: Option<Box<Impersonator>>,
}

impl From<&Session> for StoredSession {
    fn from(session: &Session) -> Self {
        Self {
            token: session.token,
            id: session.id.clone(),
            pool: session.user.pool.clone(),
            user: session.user.id.clone(),
            epoch: session.epoch,
            created: session.created,
            life: session.life,
            factors: session.factors.clone(),
            proven: (session.proven != session.created).then_some(session.proven),
            last_used: session.last_used,
            idle: session.idle,
            agent: session.agent.clone(),
            address: session.address.clone(),
            refresh: session.refresh.clone(),
            federated: session.federated.clone(),
            impersonator: session.impersonator.clone(),
        }
    }
}

impl From<StoredSession> for Session {
    fn from(stored: StoredSession) -> Self {
        Self {
            id: stored.id,
            token: stored.token,
            user: UserKey::new(stored.pool, stored.user),
            epoch: stored.epoch,
            created: stored.created,
            life: stored.life,
            factors: stored.factors,
            proven: stored.proven.unwrap_or(stored.created),
            last_used: stored.last_used,
            idle: stored.idle,
            agent: stored.agent,
            address: stored.address,
            refresh: stored.refresh,
            federated: stored.federated,
            impersonator: stored.impersonator,
        }
    }
}
