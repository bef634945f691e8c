//! What was ended or spent elsewhere and must stay so.

use async_trait::async_trait;
use domain::ports::{PortError, Tombstones};
use domain::secret::TokenHash;
use domain::time::Timestamp;
use domain::tombstone::Tombstone;

use crate::statement::Value;
use crate::store::PostgresStore;

// Whoever comes second waits until the first is committed, then inserts nothing.
const BURY: &str =
    "INSERT INTO tombstones (token, until) VALUES ($1, $2) ON CONFLICT (token) DO NOTHING RETURNING token";
const IS_BURIED: &str = "SELECT token FROM tombstones WHERE token = $1";
const PURGE: &str = "DELETE FROM tombstones WHERE token = ANY (ARRAY(\
    SELECT token FROM tombstones WHERE until < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING token";

fn token(hash: &TokenHash) -> Value {
    Value::Bytes(hash.as_bytes().to_vec())
}

#[async_trait]
impl Tombstones for PostgresStore {
    async fn bury(&self, stone: &Tombstone) -> Result<bool, PortError> {
        let until = Value::MaybeInt(stone.until.map(Timestamp::as_millis));
        let buried = self.write(BURY, vec![token(&stone.token), until]).await?;
        Ok(!buried.is_empty())
    }

    async fn is_buried(&self, hash: &TokenHash) -> Result<bool, PortError> {
        Ok(!self.read(IS_BURIED, vec![token(hash)]).await?.is_empty())
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_by(PURGE, now).await
    }
}
