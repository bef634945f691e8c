//! The token check: the path every request of every client takes.

use super::Services;
use crate::error::DomainError;
use crate::flow::impersonate::{self, Doing};
use crate::id::PoolName;
use crate::secret::Token;
use crate::session::{Session, Standing};
use crate::time::{Lifetime, Timestamp};
use crate::user::User;

/// A caller who is logged in.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// Who they are, as stored now.
    pub user: User,
    /// The login they came by.
    pub session: Session,
}

/// What a presented token is worth.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// Nothing: unknown, ended, of another pool. LoopBack treats it as no token at all.
    Anonymous,
    /// It was good once; its life is over. Said once, then it is [`Authentication::Anonymous`].
    Expired,
    /// It is good.
    Live(Box<Authenticated>),
}

/// How old what a proxy is told may be: half of the second within which a revocation holds on every node.
const RECENT: Lifetime = Lifetime::from_millis(500);

impl Services {
    /// Checks a token for somebody who asks about every request and decides nothing else by the answer: a reverse proxy. The user
    /// may be half a second old, so that a store far away need not be asked each time.
    ///
    /// # Errors
    /// As [`Services::authenticate`].
    pub async fn check_token(
        &self,
        token: &Token,
        pool: Option<&PoolName>,
    ) -> Result<Authentication, DomainError> {
        let Some(session) = self.session_of(token, pool).await? else {
            return Ok(Authentication::Anonymous);
        };
        let user = self.ports.users.find_recent(&session.user, RECENT).await?;
        self.judge(session, user, Doing::Look).await
    }

    /// Checks a token for whatever its holder may do. With `pool` given, tokens of other pools are worth nothing.
    ///
    /// # Errors
    /// [`Denial::Impersonation`](crate::error::Denial::Impersonation) where an administrator acts by it in its user's place; when a store
    /// does not answer: the caller must refuse, not guess.
    pub async fn authenticate(
        &self,
        token: &Token,
        pool: Option<&PoolName>,
    ) -> Result<Authentication, DomainError> {
        self.authenticate_for(token, pool, Doing::Act).await
    }

    /// The same for somebody who does no more than that: some of it is open to an administrator who acts as the user.
    ///
    /// # Errors
    /// As [`Services::authenticate`], where `doing` is not open to them.
    pub async fn authenticate_for(
        &self,
        token: &Token,
        pool: Option<&PoolName>,
        doing: Doing<'_>,
    ) -> Result<Authentication, DomainError> {
        let Some(session) = self.session_of(token, pool).await? else {
            return Ok(Authentication::Anonymous);
        };
        let user = self.ports.users.find(&session.user).await?;
        self.judge(session, user, doing).await
    }

    /// The session of a token, if it is of that pool.
    async fn session_of(
        &self,
        token: &Token,
        pool: Option<&PoolName>,
    ) -> Result<Option<Session>, DomainError> {
        let session = self.ports.sessions.find(&token.hash()).await?;
        Ok(session.filter(|session| pool.is_none_or(|pool| *pool == session.user.pool)))
    }

    async fn judge(
        &self,
        session: Session,
        user: Option<User>,
        doing: Doing<'_>,
    ) -> Result<Authentication, DomainError> {
        let now = self.ports.clock.now();
        if let Some(user) = &user
            && !self.is_still_administered(&session, user).await?
        {
            return Ok(Authentication::Anonymous);
        }
        match (session.standing(user.as_ref(), now), user) {
            (Standing::Live, Some(user)) => {
                impersonate::admit(&session, doing)?;
                if session.is_worth_touching(now) {
                    self.note_use(&session, now).await;
                }
                Ok(Authentication::Live(Box::new(Authenticated { user, session })))
            }
            (Standing::Expired, _) => {
                let first_to_notice = self.ports.sessions.end(&session.token).await?;
                Ok(if first_to_notice {
                    Authentication::Expired
                } else {
                    Authentication::Anonymous
                })
            }
            (Standing::Live | Standing::Ended, _) => Ok(Authentication::Anonymous),
        }
    }

    /// Writes down that a session was used: the first time, and then every few minutes. A fault is nobody's business: the caller was
    /// judged by what is stored, and a use that was missed is noted with the next one; at worst an idle session ends earlier.
    async fn note_use(&self, session: &Session, now: Timestamp) {
        let is_first = session.last_used.is_none() && session.refresh.is_some();
        // In this order: once the session says that it was used, the arrival is not noted again.
        if is_first && self.note_arrival(session, now).await.is_err() {
            return;
        }
        drop(self.ports.sessions.touch(&session.token, now).await);
    }
}
