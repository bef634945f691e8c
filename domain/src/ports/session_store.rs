use async_trait::async_trait;

use super::PortError;
use crate::id::{SessionId, UserKey};
use crate::secret::TokenHash;
use crate::session::Session;
use crate::time::Timestamp;

/// Where a listing goes on: opaque to all but the store that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageMark(pub String);

/// Some of the sessions there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionPage {
    /// The sessions.
    pub sessions: Vec<Session>,
    /// Where the next page begins; none behind the last.
    pub next: Option<PageMark>,
}

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
    /// MUST return what was stored, field by field. MUST NOT return a session that was ended through this very adapter, not even to
    /// a call that began before and is answered after; one that was ended at another node for no longer than a second.
    async fn find(&self, token: &TokenHash) -> Result<Option<Session>, PortError>;

    /// Ends a session. MUST say `true` to exactly one of several racing calls, `false` when there is none.
    async fn end(&self, token: &TokenHash) -> Result<bool, PortError>;

    /// Ends all sessions of a user except `spare`, and says how many. MUST leave other users' sessions alone, also those of a
    /// user with the same id in another pool.
    async fn end_all(&self, user: &UserKey, spare: Option<&SessionId>) -> Result<u64, PortError>;

    /// Remembers that a session was used at `at`: [`Session::last_used`].
    ///
    /// MUST NOT move it backwards, nor bring an ended session back; a session that is not there is none of its business. MUST leave
    /// everything else of the session as it is.
    async fn touch(&self, token: &TokenHash, at: Timestamp) -> Result<(), PortError>;

    /// A page of sessions, expired or not, in an order of the store's own: all there are, or those of one user. `after` is
    /// [`SessionPage::next`] of the page before.
    ///
    /// MUST list every session that is kept all the while at least once when read page by page, also while others come and go. A
    /// page may hold fewer than `limit`, and a session may come twice: only a page without `next` is the last.
    async fn list(
        &self,
        of: Option<&UserKey>,
        after: Option<&PageMark>,
        limit: usize,
    ) -> Result<SessionPage, PortError>;

    /// Drops sessions whose life was over before `now`, and says how many. MUST NOT drop a live or an eternal one. A store that
    /// drops what is void by itself, never before its life is over, has nothing to do here and says zero.
    async fn purge(&self, now: Timestamp) -> Result<u64, PortError>;
}
