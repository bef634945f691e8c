//! Audit events go to the store, as lines to the log, and as lines of JSON to a file of their own where one is configured.

mod stream;

use std::sync::Arc;

use async_trait::async_trait;
use domain::audit::{AuditEvent, AuditKind, AuditPage, AuditQuery};
use domain::ports::{AuditLog, PageMark, PortError};
use domain::time::Timestamp;
use tracing::Level;

pub use stream::Stream;

/// An audit log whose events also show in the process log and in the stream.
pub struct LoggedAudit {
    store: Arc<dyn AuditLog>,
    stream: Option<Arc<Stream>>,
}

impl LoggedAudit {
    /// Around a store.
    pub const fn new(store: Arc<dyn AuditLog>, stream: Option<Arc<Stream>>) -> Self {
        Self { store, stream }
    }
}

#[async_trait]
impl AuditLog for LoggedAudit {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        log(event);
        if let Some(stream) = &self.stream {
            // The store is what is relied on; nobody is kept out because a disk for copies is full.
            if let Err(error) = stream.append(event).await {
                tracing::error!(%error, "an audit event could not be written to `audit.file`");
            }
        }
        if event.kind.is_kept() {
            self.store.append(event).await?;
        }
        Ok(())
    }

    async fn find(
        &self,
        query: &AuditQuery,
        after: Option<&'_ PageMark>,
        limit: usize,
    ) -> Result<AuditPage, PortError> {
        self.store.find(query, after, limit).await
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, PortError> {
        self.store.purge(before).await
    }
}

/// How loud an event is: errors stop people until somebody acts, warnings are signs of theft or of a carrier in trouble.
const fn level(kind: AuditKind) -> Level {
    match kind {
        AuditKind::CarrierRefused => Level::ERROR,
        AuditKind::RefreshReused
        | AuditKind::PasskeyCounterFell
        | AuditKind::MessageFailed
        | AuditKind::BreachCheckFailed => Level::WARN,
        _ => Level::INFO,
    }
}

/// Writes an event to the process log.
fn log(event: &AuditEvent) {
    let user = event.user.as_ref().map(ToString::to_string).unwrap_or_default();
    let actor = event.actor.to_string();
    let network = event.network.as_ref().map_or("", |network| network.as_str());
    let request = event.request.as_ref().map_or("", |request| request.as_str());
    let detail = event.detail.as_deref().unwrap_or_default();
    macro_rules! line {
        ($level:expr) => {
            tracing::event!(
                target: "audit", $level, event = event.kind.name(), user, actor, network, request, detail, at = %event.at
            )
        };
    }
    match level(event.kind) {
        Level::ERROR => line!(Level::ERROR),
        Level::WARN => line!(Level::WARN),
        _ => line!(Level::INFO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_has_to_look_at_is_loud() {
        assert_eq!(level(AuditKind::CarrierRefused), Level::ERROR);
        assert_eq!(level(AuditKind::RefreshReused), Level::WARN);
        assert_eq!(level(AuditKind::PasskeyCounterFell), Level::WARN);
        assert_eq!(level(AuditKind::LoginFailed), Level::INFO);
    }
}
