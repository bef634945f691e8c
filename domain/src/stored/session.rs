use serde::{Deserialize, Serialize};

use crate::id::{PoolName, SessionId, UserId, UserKey};
use crate::secret::TokenHash;
use crate::session::{Factor, Session, TokenLife};
use crate::time::Timestamp;
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
        }
    }
}
