use async_trait::async_trait;

use super::PortError;
use crate::access::AccessState;
use crate::user::Revision;

/// Keeps the roles and access rules, as one record. What it acknowledges is durable, and holds at once for every node.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait AccessStore: Send + Sync {
    /// The record as it is now; none while it is the one of the revision that the caller `known`s. Nothing was ever stored:
    /// [`AccessState::default`].
    ///
    /// MUST return what was stored, field by field. MUST NOT be older than what any node was told is stored.
    async fn read_access(&self, known: Option<Revision>) -> Result<Option<AccessState>, PortError>;

    /// Replaces the record by its next state.
    ///
    /// MUST do nothing and say [`PortError::Stale`] unless the stored revision is `expected`, also when nothing was ever stored and
    /// `expected` is not that of [`AccessState::default`]. MUST let exactly one of several racing commits of one revision through.
    async fn commit_access(&self, next: &AccessState, expected: Revision) -> Result<(), PortError>;
}
