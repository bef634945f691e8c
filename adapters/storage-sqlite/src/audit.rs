//! The audit log.

use async_trait::async_trait;
use domain::audit::{AuditEvent, AuditKind};
use domain::id::{PoolName, UserId, UserKey};
use domain::limits::ClientAddress;
use domain::ports::{AuditLog, PortError};
use domain::time::Timestamp;
use rusqlite::Row;
use serde_json::Value;

use crate::error::Answer;
use crate::rows::{self, at_most, corrupt};
use crate::store::{PURGED_AT_ONCE, SqliteStore};

const APPEND: &str =
    "INSERT INTO audit (at, kind, pool, user_id, address, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const LATEST: &str =
    "SELECT seq, at, kind, pool, user_id, address, detail FROM audit ORDER BY seq DESC LIMIT ?1";

const PURGE: &str = "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE at < ?1 LIMIT ?2)";

fn decode(row: &Row<'_>) -> Answer<AuditEvent> {
    let seq: i64 = row.get(0)?;
    let unreadable = || corrupt("audit event", &seq.to_string());
    let kind: String = row.get(2)?;
    let user: (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
    let address: Option<String> = row.get(5)?;
    Ok(AuditEvent {
        at: Timestamp::from_millis(row.get(1)?),
        kind: named(&kind).ok_or_else(unreadable)?,
        user: user
            .0
            .zip(user.1)
            .map(|(pool, id)| UserKey::new(PoolName::new(pool), UserId::new(id))),
        address: address
            .map(|text| as_stored(text).ok_or_else(unreadable))
            .transpose()?,
        detail: row.get(6)?,
    })
}

fn named(name: &str) -> Option<AuditKind> {
    AuditKind::ALL.iter().copied().find(|kind| kind.name() == name)
}

/// An address was canonical when it was stored; its stored form is its text.
fn as_stored(text: String) -> Option<ClientAddress> {
    serde_json::from_value(Value::String(text)).ok()
}

#[async_trait]
impl AuditLog for SqliteStore {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        let (at, kind) = (event.at.as_millis(), event.kind.name());
        let user = event.user.as_ref();
        let pool = user.map(|user| user.pool.as_str().to_owned());
        let id = user.map(|user| user.id.as_str().to_owned());
        let address = event.address.as_ref().map(|from| from.as_str().to_owned());
        let detail = event.detail.clone();
        self.write(move |connection, _| {
            connection
                .prepare_cached(APPEND)?
                .execute((at, kind, pool, id, address, detail))?;
            Ok(())
        })
        .await
    }

    async fn latest(&self, limit: usize) -> Result<Vec<AuditEvent>, PortError> {
        let limit = at_most(limit);
        self.read(move |connection| rows::all(connection, LATEST, [limit], decode))
            .await
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, PortError> {
        let parameters = (before.as_millis(), PURGED_AT_ONCE.cast_signed());
        let mut purged = 0;
        loop {
            let some = self
                .write(move |connection, _| Ok(connection.prepare_cached(PURGE)?.execute(parameters)?))
                .await?;
            let some = u64::try_from(some).unwrap_or(PURGED_AT_ONCE);
            purged += some;
            if some < PURGED_AT_ONCE {
                return Ok(purged);
            }
        }
    }
}
