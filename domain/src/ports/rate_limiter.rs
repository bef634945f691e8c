use async_trait::async_trait;

use super::PortError;
use crate::limits::{LimitKey, Quota, Verdict};
use crate::time::Timestamp;

/// Keeps counters. The arithmetic is [`Quota`]'s; the adapter makes it atomic and durable.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait RateLimiter: Send + Sync {
    /// Takes one try from every counter in `asked`, or from none.
    ///
    /// MUST be atomic per counter: of any number of racing tries no more are allowed than the quota holds. MUST take nothing from
    /// any counter when one of them denies, and answer with the longest wait and whose it is ([`Verdict::by`]). MUST be durable before it
    /// answers.
    async fn take(&self, asked: &[(LimitKey, Quota)], now: Timestamp) -> Result<Verdict, PortError>;

    /// Gives one try back to every counter. MUST NOT raise a counter above its full quota.
    async fn give_back(&self, given: &[(LimitKey, Quota)], now: Timestamp) -> Result<(), PortError>;

    /// Drops counters that were forgotten before `now`.
    async fn purge(&self, now: Timestamp) -> Result<u64, PortError>;
}
