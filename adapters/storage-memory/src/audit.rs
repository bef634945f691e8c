//! The audit log.

use std::collections::VecDeque;

use async_trait::async_trait;
use domain::audit::AuditEvent;
use domain::ports::{AuditLog, PortError};
use domain::time::Timestamp;

use crate::{MemoryStore, locked};

/// Events kept; older ones are dropped, so that memory is bounded.
const KEPT: usize = 10_000;

/// Events in the order they came.
pub(crate) type Events = VecDeque<AuditEvent>;

#[async_trait]
impl AuditLog for MemoryStore {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        let mut events = locked(&self.events);
        if events.len() == KEPT {
            events.pop_front();
        }
        events.push_back(event.clone());
        Ok(())
    }

    async fn latest(&self, limit: usize) -> Result<Vec<AuditEvent>, PortError> {
        Ok(locked(&self.events).iter().rev().take(limit).cloned().collect())
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, PortError> {
        let mut events = locked(&self.events);
        let had = events.len();
        events.retain(|event| event.at >= before);
        Ok(u64::try_from(had - events.len()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::audit::AuditKind;

    #[test]
    fn the_log_forgets_its_oldest_events() {
        let store = MemoryStore::default();
        conformance::run(async {
            for number in 0..=10_000 {
                let event = AuditEvent {
                    at: Timestamp::from_millis(number),
                    kind: AuditKind::LoggedIn,
                    user: None,
                    address: None,
                    detail: None,
                };
                store.append(&event).await.unwrap();
            }
            let kept = store.latest(usize::MAX).await.unwrap();
            assert_eq!(kept.len(), KEPT);
            assert_eq!(kept.last().unwrap().at, Timestamp::from_millis(1));
        });
    }
}
