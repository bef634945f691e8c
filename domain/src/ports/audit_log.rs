use async_trait::async_trait;

use super::PortError;
use crate::audit::AuditEvent;
use crate::time::Timestamp;

/// Keeps the audit log.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait AuditLog: Send + Sync {
    /// Appends one event. MUST keep the order of events of one caller.
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError>;

    /// The newest events, newest first, at most `limit`.
    async fn latest(&self, limit: usize) -> Result<Vec<AuditEvent>, PortError>;

    /// Drops events that were decided before `before`, and says how many. MUST NOT drop a later one.
    async fn purge(&self, before: Timestamp) -> Result<u64, PortError>;
}
