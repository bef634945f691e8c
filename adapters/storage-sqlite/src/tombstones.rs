//! Tombstones.

use async_trait::async_trait;
use domain::ports::{PortError, Tombstones};
use domain::secret::TokenHash;
use domain::time::Timestamp;
use domain::tombstone::Tombstone;
use rusqlite::Connection;

use crate::error::Answer;
use crate::store::SqliteStore;

const BURY: &str = "INSERT INTO tombstones (token, until) VALUES (?1, ?2) ON CONFLICT (token) DO NOTHING";
const IS_BURIED: &str = "SELECT EXISTS (SELECT 1 FROM tombstones WHERE token = ?1)";
const PURGE: &str =
    "DELETE FROM tombstones WHERE token IN (SELECT token FROM tombstones WHERE until < ?1 LIMIT ?2)";

fn is_buried(connection: &Connection, token: &TokenHash) -> Answer<bool> {
    let mut statement = connection.prepare_cached(IS_BURIED)?;
    Ok(statement.query_row([token.as_bytes()], |row| row.get(0))?)
}

#[async_trait]
impl Tombstones for SqliteStore {
    async fn bury(&self, stone: &Tombstone) -> Result<bool, PortError> {
        let (token, until) = (stone.token, stone.until.map(Timestamp::as_millis));
        self.write(move |connection, _| {
            let made = connection
                .prepare_cached(BURY)?
                .execute((token.as_bytes(), until))?;
            Ok(made == 1)
        })
        .await
    }

    async fn is_buried(&self, token: &TokenHash) -> Result<bool, PortError> {
        let token = *token;
        self.read(move |connection| is_buried(connection, &token)).await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_by(PURGE, now).await
    }
}
