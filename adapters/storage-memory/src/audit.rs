//! The audit log.

use std::collections::VecDeque;

use async_trait::async_trait;
use domain::audit::{AuditEvent, AuditPage, AuditQuery};
use domain::ports::{AuditLog, PageMark, PortError};
use domain::time::Timestamp;

use crate::{MemoryStore, locked};

/// Events kept; older ones are dropped, so that memory is bounded.
const KEPT: usize = 10_000;

/// Events in the order they came, each with its number.
#[derive(Debug, Default)]
pub(crate) struct Events {
    events: VecDeque<(u64, AuditEvent)>,
    next: u64,
}

impl Events {
    fn append(&mut self, event: AuditEvent) {
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back((self.next, event));
        self.next += 1;
    }

    /// The events that came before that number and fit, newest first.
    fn before<'a>(
        &'a self,
        number: Option<u64>,
        query: &AuditQuery,
    ) -> impl Iterator<Item = &'a (u64, AuditEvent)> {
        let end = number.map_or(self.events.len(), |number| {
            self.events.partition_point(|(own, _)| *own < number)
        });
        let older = self.events.range(..end).rev();
        older.filter(|(_, event)| query.fits(event))
    }
}

fn from_mark(mark: &PageMark) -> Result<u64, PortError> {
    let number = mark.0.parse();
    number.map_err(|_| PortError::corrupt("the mark of a page of audit events"))
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        locked(&self.events).append(event.clone());
        Ok(())
    }

    async fn find(
        &self,
        query: &AuditQuery,
        after: Option<&'_ PageMark>,
        limit: usize,
    ) -> Result<AuditPage, PortError> {
        let after = after.map(from_mark).transpose()?;
        let limit = limit.max(1);
        let log = locked(&self.events);
        let found: Vec<_> = log.before(after, query).take(limit).collect();
        let last = found.last().filter(|_| found.len() == limit);
        Ok(AuditPage {
            next: last.map(|(number, _)| PageMark(number.to_string())),
            events: found.into_iter().map(|(_, event)| event.clone()).collect(),
        })
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, PortError> {
        let events = &mut locked(&self.events).events;
        let had = events.len();
        events.retain(|(_, event)| event.at >= before);
        Ok(u64::try_from(had - events.len()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::sample;
    use domain::audit::AuditKind;

    #[test]
    fn the_log_forgets_its_oldest_events() {
        let store = MemoryStore::default();
        conformance::run(async {
            for number in 0..=10_000 {
                let event = AuditEvent {
                    at: Timestamp::from_millis(number),
                    ..sample::event(AuditKind::LoggedIn, "ann")
                };
                store.append(&event).await.unwrap();
            }
            let page = store
                .find(&AuditQuery::default(), None, usize::MAX)
                .await
                .unwrap();
            assert_eq!(page.events.len(), KEPT);
            assert_eq!(page.events.last().unwrap().at, Timestamp::from_millis(1));
        });
    }
}
