//! Live sessions.

use std::sync::PoisonError;

use async_trait::async_trait;
use domain::id::{SessionId, UserKey};
use domain::ports::{PageMark, PortError, SessionPage, SessionStore};
use domain::secret::TokenHash;
use domain::session::Session;
use domain::time::Timestamp;

use crate::MemorySessions;
use crate::owned::{Owned, Record};

/// Sessions by token and user.
pub(crate) type Sessions = Owned<Session>;

impl Record for Session {
    fn token(&self) -> TokenHash {
        self.token
    }

    fn owner(&self) -> Option<UserKey> {
        Some(self.user.clone())
    }
}

impl MemorySessions {
    fn change_sessions<T>(&self, change: impl FnOnce(&mut Sessions) -> T) -> T {
        change(&mut self.sessions.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn from_mark(mark: &PageMark) -> Result<TokenHash, PortError> {
    TokenHash::from_text(&mark.0).ok_or_else(|| PortError::corrupt("the mark of a page of sessions"))
}

#[async_trait]
impl SessionStore for MemorySessions {
    async fn open(&self, session: &Session) -> Result<(), PortError> {
        self.change_sessions(|sessions| sessions.put(session.clone()));
        Ok(())
    }

    async fn find(&self, token: &TokenHash) -> Result<Option<Session>, PortError> {
        let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
        Ok(sessions.find(token).cloned())
    }

    async fn end(&self, token: &TokenHash) -> Result<bool, PortError> {
        Ok(self.change_sessions(|sessions| sessions.take(token)).is_some())
    }

    async fn end_all(&self, user: &UserKey, spare: Option<&'_ SessionId>) -> Result<u64, PortError> {
        let goes = |session: &Session| Some(&session.id) != spare;
        Ok(self.change_sessions(|sessions| sessions.take_of(user, goes)))
    }

    async fn touch(&self, token: &TokenHash, at: Timestamp) -> Result<(), PortError> {
        self.change_sessions(|sessions| {
            sessions.change(token, |session| {
                session.last_used = session.last_used.max(Some(at));
            });
        });
        Ok(())
    }

    async fn list(
        &self,
        of: Option<&'_ UserKey>,
        after: Option<&'_ PageMark>,
        limit: usize,
    ) -> Result<SessionPage, PortError> {
        let after = after.map(from_mark).transpose()?;
        let limit = limit.max(1);
        let sessions: Vec<Session> = {
            let kept = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
            match of {
                Some(user) => kept
                    .beyond_of(user, after.as_ref())
                    .take(limit)
                    .cloned()
                    .collect(),
                None => kept.beyond(after.as_ref()).take(limit).cloned().collect(),
            }
        };
        let last = sessions.last().filter(|_| sessions.len() == limit);
        let next = last.map(|session| PageMark(session.token.to_text()));
        Ok(SessionPage { sessions, next })
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        let is_over = |session: &Session| {
            let expires = session.life.expires(session.created);
            expires.is_some_and(|expires| expires < now)
        };
        Ok(self.change_sessions(|sessions| sessions.take_all(is_over)))
    }
}
