use async_trait::async_trait;

use super::PortError;
use crate::secret::TokenHash;
use crate::time::Timestamp;
use crate::tombstone::Tombstone;

/// Keeps tombstones. A store plays it beside a cache that keeps sessions and flows and may lose what it acknowledged: what was
/// ended or spent is written here before anybody is told. What it acknowledges is durable.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Tombstones: Send + Sync {
    /// Keeps a tombstone. MUST say `true` to exactly one of any number of racing calls for one token, `false` where there is one
    /// already.
    async fn bury(&self, stone: &Tombstone) -> Result<bool, PortError>;

    /// Whether there is a tombstone for the token. MUST say so to every call that begins after `bury` was answered.
    async fn is_buried(&self, token: &TokenHash) -> Result<bool, PortError>;

    /// Drops tombstones that are over at `now` by [`Tombstone::is_over`], and says how many. MUST NOT drop another, nor an eternal
    /// one.
    async fn purge(&self, now: Timestamp) -> Result<u64, PortError>;
}
