use serde::{Deserialize, Serialize};

use crate::secret::TokenHash;
use crate::time::Timestamp;
use crate::tombstone::Tombstone;

/// A [`Tombstone`] as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredTombstone {
    /// [`Tombstone::token`], a hash.
    pub token: TokenHash,
    /// [`Tombstone::until`], milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl From<&Tombstone> for StoredTombstone {
    fn from(stone: &Tombstone) -> Self {
        Self {
            token: stone.token,
            until: stone.until,
        }
    }
}

impl From<StoredTombstone> for Tombstone {
    fn from(stored: StoredTombstone) -> Self {
        Self {
            token: stored.token,
            until: stored.until,
        }
    }
}
