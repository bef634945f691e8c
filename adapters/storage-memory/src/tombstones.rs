//! Tombstones.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use async_trait::async_trait;
use domain::ports::{PortError, Tombstones};
use domain::secret::TokenHash;
use domain::time::Timestamp;
use domain::tombstone::Tombstone;

use crate::{MemoryStore, locked};

/// Tombstones by token.
pub(crate) type Stones = HashMap<TokenHash, Tombstone>;

#[async_trait]
impl Tombstones for MemoryStore {
    async fn bury(&self, stone: &Tombstone) -> Result<bool, PortError> {
        match locked(&self.tombstones).entry(stone.token) {
            Entry::Vacant(place) => {
                place.insert(*stone);
                Ok(true)
            }
            Entry::Occupied(_) => Ok(false),
        }
    }

    async fn is_buried(&self, token: &TokenHash) -> Result<bool, PortError> {
        Ok(locked(&self.tombstones).contains_key(token))
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        let mut stones = locked(&self.tombstones);
        let had = stones.len();
        stones.retain(|_, stone| !stone.is_over(now));
        Ok(u64::try_from(had - stones.len()).unwrap_or(u64::MAX))
    }
}
