use serde::{Deserialize, Serialize};

use crate::flow_record::{FlowBody, FlowRecord};
use crate::id::{PoolName, UserId};
use crate::secret::TokenHash;
use crate::time::Timestamp;

/// A [`FlowRecord`] as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFlow {
    /// [`FlowRecord::id`], a hash.
    pub id: TokenHash,
    /// [`FlowRecord::pool`]
    pub pool: PoolName,
    /// [`FlowRecord::user`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// [`FlowRecord::created`], milliseconds since 1970.
    pub created: Timestamp,
    /// [`FlowRecord::expires`], milliseconds since 1970.
    pub expires: Timestamp,
    /// [`FlowRecord::body`]
    pub body: FlowBody,
}

impl From<&FlowRecord> for StoredFlow {
    fn from(flow: &FlowRecord) -> Self {
        Self {
            id: flow.id,
            pool: flow.pool.clone(),
            user: flow.user.clone(),
            created: flow.created,
            expires: flow.expires,
            body: flow.body.clone(),
        }
    }
}

impl From<StoredFlow> for FlowRecord {
    fn from(stored: StoredFlow) -> Self {
        Self {
            id: stored.id,
            pool: stored.pool,
            user: stored.user,
            created: stored.created,
            expires: stored.expires,
            body: stored.body,
        }
    }
}
