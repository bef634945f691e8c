use async_trait::async_trait;

use super::PortError;
use crate::audit::AuditEvent;

/// Keeps the audit log.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait AuditLog: Send + Sync {
    /// Appends one event. MUST keep the order of events of one caller.
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError>;

    /// The newest events, newest first, at most `limit`.
    async fn latest(&self, limit: usize) -> Result<Vec<AuditEvent>, PortError>;
}
