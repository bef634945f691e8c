//! Audit events go to the store and, as lines, to the log.

use std::sync::Arc;

use async_trait::async_trait;
use domain::audit::AuditEvent;
use domain::ports::{AuditLog, PortError};
use domain::time::Timestamp;

/// An audit log whose events also show in the process log.
pub struct LoggedAudit(pub Arc<dyn AuditLog>);

#[async_trait]
impl AuditLog for LoggedAudit {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        let user = event.user.as_ref().map(ToString::to_string).unwrap_or_default();
        let client = event.address.as_ref().map_or("", |address| address.as_str());
        let detail = event.detail.as_deref().unwrap_or_default();
        tracing::info!(target: "audit", event = event.kind.name(), user, client, detail, at = %event.at);
        if event.kind.is_kept() {
            self.0.append(event).await?;
        }
        Ok(())
    }

    async fn latest(&self, limit: usize) -> Result<Vec<AuditEvent>, PortError> {
        self.0.latest(limit).await
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, PortError> {
        self.0.purge(before).await
    }
}
