//! The token check: the path every request of every client takes.

use super::Services;
use crate::error::DomainError;
use crate::id::PoolName;
use crate::secret::Token;
use crate::session::{Session, Standing};
use crate::time::Lifetime;
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
        self.judge(session, user).await
    }

    /// Checks a token. With `pool` given, tokens of other pools are worth nothing.
    ///
    /// # Errors
    /// When a store does not answer: the caller must refuse, not guess.
    pub async fn authenticate(
        &self,
        token: &Token,
        pool: Option<&PoolName>,
    ) -> Result<Authentication, DomainError> {
        let Some(session) = self.session_of(token, pool).await? else {
            return Ok(Authentication::Anonymous);
        };
        let user = self.ports.users.find(&session.user).await?;
        self.judge(session, user).await
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

    async fn judge(&self, session: Session, user: Option<User>) -> Result<Authentication, DomainError> {
        match (session.standing(user.as_ref(), self.ports.clock.now()), user) {
            (Standing::Live, Some(user)) => {
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
}
