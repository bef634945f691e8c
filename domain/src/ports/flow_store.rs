use async_trait::async_trait;

use super::PortError;
use crate::flow_record::{FlowKind, FlowRecord};
use crate::id::UserKey;
use crate::secret::TokenHash;
use crate::time::Timestamp;

/// Keeps unfinished flows under the hash of the token that continues them.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait FlowStore: Send + Sync {
    /// Keeps a flow; replaces the one of the same id.
    ///
    /// # Errors
    /// [`PortError::Stale`] when the store also keeps users and the flow's is gone.
    async fn put(&self, flow: &FlowRecord) -> Result<(), PortError>;

    /// Replaces a flow only if it is still there, and says whether it was. MUST NOT bring a taken flow back.
    async fn replace(&self, flow: &FlowRecord) -> Result<bool, PortError>;

    /// The flow of that id, expired or not. MUST return what was stored, field by field.
    async fn find(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError>;

    /// Removes a flow and hands it over. MUST give it to exactly one of any number of racing calls.
    async fn take(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError>;

    /// All flows of one user and kind, oldest first.
    async fn list(&self, user: &UserKey, kind: FlowKind) -> Result<Vec<FlowRecord>, PortError>;

    /// Removes all flows of one user and kind. MUST leave other kinds and other users alone.
    async fn end_all(&self, user: &UserKey, kind: FlowKind) -> Result<(), PortError>;

    /// Drops flows that were void before `now`, and says how many. MUST NOT drop one that is not. A store that drops what is void
    /// by itself, never before, has nothing to do here and says zero.
    async fn purge(&self, now: Timestamp) -> Result<u64, PortError>;
}
