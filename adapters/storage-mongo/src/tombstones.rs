//! Tombstones.

use async_trait::async_trait;
use domain::ports::{PortError, Tombstones};
use domain::secret::TokenHash;
use domain::time::Timestamp;
use domain::tombstone::Tombstone;

use crate::documents::{TOMBSTONES, by_token, of_tombstone};
use crate::error::is_duplicate;
use crate::store::MongoStore;

#[async_trait]
impl Tombstones for MongoStore {
    async fn bury(&self, stone: &Tombstone) -> Result<bool, PortError> {
        let document = of_tombstone(stone)?;
        self.run(|base| async move {
            match base.of(TOMBSTONES).insert_one(document).await {
                Ok(_) => Ok(true),
                Err(error) if is_duplicate(&error) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    async fn is_buried(&self, token: &TokenHash) -> Result<bool, PortError> {
        let token = by_token(token);
        let found = self
            .run(|base| async move { base.first(TOMBSTONES, token).await })
            .await?;
        Ok(found.is_some())
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_below(TOMBSTONES, "until", now).await
    }
}
