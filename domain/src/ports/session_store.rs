use async_trait::async_trait;

use super::PortError;
use crate::id::{SessionId, UserKey};
use crate::secret::TokenHash;
use crate::session::Session;
use crate::time::Timestamp;

/// Keeps live sessions under the hash of their token.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait SessionStore: Send + Sync {
    /// Keeps a session. MUST be found by every later [`SessionStore::find`] until it is ended or purged.
    ///
    /// # Errors
    /// [`PortError::Stale`] when the store also keeps users and the session's is gone.
    async fn open(&self, session: &Session) -> Result<(), PortError>;

    /// The session of a token, expired or not: whether it may be used is decided by [`Session::standing`].
    ///
    /// MUST return what was stored, field by field. MUST NOT return a session that was ended, not even to a call that began
    /// before and is answered after.
    async fn find(&self, token: &TokenHash) -> Result<Option<Session>, PortError>;

    /// Ends a session. MUST say `true` to exactly one of several racing calls, `false` when there is none.
    async fn end(&self, token: &TokenHash) -> Result<bool, PortError>;

    /// Ends all sessions of a user except `spare`, and says how many. MUST leave other users' sessions alone, also those of a
    /// user with the same id in another pool.
    async fn end_all(&self, user: &UserKey, spare: Option<&SessionId>) -> Result<u64, PortError>;

    /// Drops sessions whose life was over before `now`. MUST NOT drop a live or an eternal one.
    async fn purge(&self, now: Timestamp) -> Result<u64, PortError>;
}
