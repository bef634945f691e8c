use async_trait::async_trait;

use super::{PageMark, PortError};
use crate::id::MessageId;
use crate::outbox::{Lane, OutboxMessage, OutboxPage, Settled};
use crate::time::{Lifetime, Timestamp};

/// Keeps messages until a carrier took them. What it acknowledges is durable.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Outbox: Send + Sync {
    /// Keeps a message as it is, claimed or not.
    async fn put(&self, message: &OutboxMessage) -> Result<(), PortError>;

    /// Claims messages of a lane for one attempt each, those that are due the longest first: [`OutboxMessage::is_claimable`],
    /// [`OutboxMessage::claimed`].
    ///
    /// MUST give a message to exactly one of any number of racing calls, until its hold is over. MUST have stored the claim before it
    /// answers. MUST give expired messages, too. MUST give none of another lane.
    async fn claim(
        &self,
        lane: Lane,
        now: Timestamp,
        hold: Lifetime,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>, PortError>;

    /// Says how the attempt of that number ended ([`OutboxMessage::attempts`]): forgets the message, or [`OutboxMessage::released`].
    ///
    /// MUST do nothing and say `false` when another attempt was claimed since, or the message is gone.
    async fn settle(&self, id: &MessageId, attempt: u32, how: Settled) -> Result<bool, PortError>;

    /// A page of all messages, in an order of the store's own; `after` is [`OutboxPage::next`] of the page before.
    ///
    /// MUST list every message that is kept all the while exactly once when read page by page.
    async fn list(&self, after: Option<&PageMark>, limit: usize) -> Result<OutboxPage, PortError>;

    /// Drops messages that expired before `now`, and says how many. MUST NOT drop one that did not. A store that drops what is void by
    /// itself, never before, has nothing to do here and says zero.
    async fn purge(&self, now: Timestamp) -> Result<u64, PortError>;
}
