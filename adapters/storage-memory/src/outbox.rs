//! Messages that wait for their carrier.

use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use domain::id::MessageId;
use domain::outbox::{Lane, OutboxMessage, OutboxPage, Settled};
use domain::ports::{Outbox, PageMark, PortError};
use domain::time::{Lifetime, Timestamp};

use crate::{MemoryStore, locked};

/// Messages by id.
pub(crate) type Messages = BTreeMap<MessageId, OutboxMessage>;

#[async_trait]
impl Outbox for MemoryStore {
    async fn put(&self, message: &OutboxMessage) -> Result<(), PortError> {
        // The same message twice is one: a caller that got no answer may ask again.
        let mut messages = locked(&self.messages);
        messages
            .entry(message.id.clone())
            .or_insert_with(|| message.clone());
        Ok(())
    }

    async fn claim(
        &self,
        lane: Lane,
        now: Timestamp,
        hold: Lifetime,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>, PortError> {
        let mut messages = locked(&self.messages);
        let of_lane = |message: &&mut OutboxMessage| message.channel.lane() == lane;
        let claimable = messages
            .values_mut()
            .filter(of_lane)
            .filter(|message| message.is_claimable(now));
        let mut due: Vec<&mut OutboxMessage> = claimable.collect();
        // Stable: equals keep the order of their ids.
        due.sort_by_key(|message| message.due);
        let claimed = due.into_iter().take(limit).map(|message| {
            *message = message.clone().claimed(now, hold);
            message.clone()
        });
        Ok(claimed.collect())
    }

    async fn settle(&self, id: &MessageId, attempt: u32, how: Settled) -> Result<bool, PortError> {
        let mut messages = locked(&self.messages);
        let Some(message) = messages.get_mut(id).filter(|message| message.attempts == attempt) else {
            return Ok(false);
        };
        match how {
            Settled::Again { due } => *message = message.clone().released(due),
            Settled::Done => {
                messages.remove(id);
            }
        }
        Ok(true)
    }

    async fn list(&self, after: Option<&'_ PageMark>, limit: usize) -> Result<OutboxPage, PortError> {
        let from = after.map(|mark| MessageId::new(mark.0.as_str()));
        let from = from.map_or(Bound::Unbounded, Bound::Excluded);
        let limit = limit.max(1);
        let kept = locked(&self.messages);
        let page = kept.range((from, Bound::Unbounded)).take(limit);
        let messages: Vec<OutboxMessage> = page.map(|(_, message)| message.clone()).collect();
        let last = messages.last().filter(|_| messages.len() == limit);
        let next = last.map(|message| PageMark(message.id.to_string()));
        Ok(OutboxPage { messages, next })
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        let mut messages = locked(&self.messages);
        let had = messages.len();
        messages.retain(|_, message| message.expires >= now);
        Ok(u64::try_from(had - messages.len()).unwrap_or(u64::MAX))
    }
}
