//! The audit log.

use async_trait::async_trait;
use domain::audit::AuditEvent;
use domain::ports::{AuditLog, PortError};
use domain::stored::StoredAuditEvent;
use domain::time::Timestamp;

use crate::rows::{self, at_most};
use crate::store::PostgresStore;

const APPEND: &str = "INSERT INTO audit (at, record) VALUES ($1, $2)";
const LATEST: &str = "SELECT seq, record FROM audit ORDER BY seq DESC LIMIT $1";
const PURGE: &str = "DELETE FROM audit WHERE seq = ANY (ARRAY(\
    SELECT seq FROM audit WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING seq";

#[async_trait]
impl AuditLog for PostgresStore {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        let record = rows::record(&StoredAuditEvent::from(event))?;
        let values = vec![event.at.as_millis().into(), record];
        self.write(APPEND, values).await.map(drop)
    }

    async fn latest(&self, limit: usize) -> Result<Vec<AuditEvent>, PortError> {
        let events = self.read(LATEST, vec![at_most(limit)]).await?;
        rows::all::<StoredAuditEvent, AuditEvent>("audit event", &events)
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, PortError> {
        self.purge_by(PURGE, before).await
    }
}
