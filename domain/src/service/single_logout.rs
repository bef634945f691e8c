//! Single logout: leaving a provider along with us, and us along with a provider.

use super::Services;
use crate::error::{Denial, DomainError};
use crate::flow::authorize;
use crate::flow::single_logout::{self, SingleLogoutEvent, Wish};
use crate::id::EntryName;
use crate::identity::ProviderEntry;
use crate::origin::Origin;
use crate::policy::{Limits, PoolPolicy};
use crate::ports::{
    AuthorizationStart, LogoutHeard, LogoutMessage, LogoutRequested, LookupKey, PortError, ProviderError,
};
use crate::session::Session;
use crate::user::User;

/// What is to be said to whoever brought a provider's message.
#[derive(Clone, Debug)]
pub enum LogoutReply {
    /// The provider wants its answer brought back; none where it has no place for answers.
    Answer(Option<AuthorizationStart>),
    /// We asked, and the provider has answered: the way ends here.
    Over {
        /// Whether everybody it told did end their sessions.
        complete: bool,
    },
}

impl Services {
    /// Where somebody who just logged out here is to go, so that the provider's own session ends as well; none where the session stood on
    /// none, or the provider does not want to know. A provider that cannot be asked holds nobody up: here they are logged out.
    pub async fn begin_single_logout(&self, ended: &Session) -> Option<AuthorizationStart> {
        let federated = ended.federated.as_ref()?;
        let (binding, _) = self.bound(&federated.entry).ok()?;
        let logout = binding.adapter.single_logout()?;
        let relay = crate::secret::Secret::new(self.draw_token().expose());
        let started = logout
            .begin(&federated.session, &relay, self.ports.clock.now())
            .await;
        match started {
            Ok(started) => started,
            Err(error) => {
                self.failure(&federated.entry, &error);
                None
            }
        }
    }

    /// Takes what a provider sent to the `logoutPath` of an entry.
    ///
    /// # Errors
    /// [`Denial::ProviderUnknown`], [`Denial::Limited`], [`Denial::ProviderRefused`], [`Denial::ProviderUnavailable`]; ports that do not
    /// answer.
    pub async fn hear_logout(
        &self,
        entry: &EntryName,
        message: LogoutMessage,
        origin: &Origin,
    ) -> Result<LogoutReply, DomainError> {
        let (binding, pool) = self.bound(entry)?;
        let logout = binding.adapter.single_logout().ok_or(Denial::ProviderUnknown)?;
        let verdict = self
            .take(&self.policy.limits.authorization(&origin.address))
            .await?;
        if let Some(refused) = self.decide(pool, origin, |cx| {
            crate::flow::Refused::limited(verdict, None, cx)
        }) {
            return Err(self.refuse(refused).await);
        }
        let requested = match logout.receive(&message).await {
            Ok(LogoutHeard::Requested(requested)) => requested,
            Ok(LogoutHeard::Answered { complete, .. }) => return Ok(LogoutReply::Over { complete }),
            Err(error) => return Err(self.not_heard(pool, &binding.entry, &error, origin).await),
        };
        self.end_federated(pool, &binding.entry, requested.clone(), origin)
            .await?;
        let now = self.ports.clock.now();
        match logout.answer(&requested, true, now).await {
            Ok(answer) => Ok(LogoutReply::Answer(answer)),
            Err(error) => Err(self.not_heard(pool, &binding.entry, &error, origin).await),
        }
    }

    async fn end_federated(
        &self,
        pool: &PoolPolicy,
        entry: &ProviderEntry,
        requested: LogoutRequested,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        let now = self.ports.clock.now();
        let asked = Limits::once(&requested.issuer, &requested.once, now);
        let user = match single_logout::key_of(entry, &requested) {
            Some(key) => self.user_by(pool, LookupKey::Identity(key.to_text())).await?,
            None => None,
        };
        let wish = Wish {
            entry: entry.clone(),
            once: self.ports.limiter.take(&asked, now).await?,
            user: match user {
                Some(user) => Some(self.with_sessions(user).await?),
                None => None,
            },
            requested,
        };
        let event = SingleLogoutEvent::Requested(Box::new(wish));
        match self.decide(pool, origin, |cx| single_logout::step(event, cx)) {
            Ok(advanced) => self
                .perform(advanced.effects)
                .await
                .map_err(|halt| halt.or_denial(Denial::Unexpected)),
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    async fn with_sessions(&self, user: User) -> Result<(User, Vec<Session>), PortError> {
        let sessions = self.sessions_of(&user.key).await?;
        Ok((user, sessions))
    }

    async fn not_heard(
        &self,
        pool: &PoolPolicy,
        entry: &ProviderEntry,
        error: &ProviderError,
        origin: &Origin,
    ) -> DomainError {
        let failure = self.failure(&entry.name, error);
        let refused = self.decide(pool, origin, |cx| authorize::refuse(entry, &failure, cx));
        self.refuse(refused).await
    }
}
