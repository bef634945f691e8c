use async_trait::async_trait;

use super::{PageMark, PortError};
use crate::audit::{AuditEvent, AuditPage, AuditQuery};
use crate::time::Timestamp;

/// Keeps the audit log.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait AuditLog: Send + Sync {
    /// Appends one event. MUST keep the order of events of one caller.
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError>;

    /// A page of the events that fit `query`, newest first, at most `limit`; `after` is [`AuditPage::next`] of the page before.
    ///
    /// MUST give every kept event that fits exactly once when read page by page, and none that does not fit. A page may hold fewer
    /// than `limit`: only a page without `next` is the last.
    async fn find(
        &self,
        query: &AuditQuery,
        after: Option<&PageMark>,
        limit: usize,
    ) -> Result<AuditPage, PortError>;

    /// Drops events that were decided before `before`, and says how many. MUST NOT drop a later one.
    async fn purge(&self, before: Timestamp) -> Result<u64, PortError>;
}
