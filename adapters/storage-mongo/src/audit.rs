//! The audit log.

use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use domain::audit::AuditEvent;
use domain::ports::{AuditLog, PortError};
use domain::time::Timestamp;
use mongodb::bson::doc;
use mongodb::bson::oid::ObjectId;

use crate::documents::{AUDIT, of_event, to_event};
use crate::store::MongoStore;

impl MongoStore {
    /// The `_id` of the next event: microseconds by our clock, always more than before, and what no other process draws. So one
    /// process keeps the order of arrival exactly, and several as well as their clocks agree.
    fn next_event(&self) -> String {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = i64::try_from(wall.as_micros()).unwrap_or(i64::MAX);
        let next = |last: i64| Some(wall.max(last.saturating_add(1)));
        let last = self
            .last_event
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, next)
            .unwrap_or_else(|last| last);
        let moment = wall.max(last.saturating_add(1));
        format!("{moment:016x}-{}", ObjectId::new().to_hex())
    }
}

#[async_trait]
impl AuditLog for MongoStore {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        let document = of_event(self.next_event(), event)?;
        self.run(|base| async move {
            base.of(AUDIT).insert_one(document).await?;
            Ok(())
        })
        .await
    }

    async fn latest(&self, limit: usize) -> Result<Vec<AuditEvent>, PortError> {
        let found = self
            .run(|base| async move { base.all(AUDIT, doc! {}, doc! { "_id": -1 }, limit).await })
            .await?;
        found.into_iter().map(to_event).collect()
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, PortError> {
        self.purge_below(AUDIT, "at", before).await
    }
}
