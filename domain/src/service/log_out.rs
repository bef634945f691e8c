//! Logging out.

use super::perform::Halt;
use super::{Authenticated, STALE_RETRIES, Services};
use crate::error::{Denial, DomainError};
use crate::flow::log_out::{self, LogOutEvent};
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::PortError;

impl Services {
    /// Ends the caller's own session.
    ///
    /// # Errors
    /// [`Denial::AccessTokenRequired`] without a live session; ports that do not answer.
    pub async fn log_out(
        &self,
        pool: &PoolPolicy,
        caller: Option<&Authenticated>,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        let event = LogOutEvent::Asked {
            session: caller.map(|caller| Box::new(caller.session.clone())),
        };
        match self.decide(pool, origin, |cx| log_out::step(event, cx)) {
            Ok(advanced) => self
                .perform(advanced.effects)
                .await
                .map_err(|halt| halt.or_denial(Denial::AccessTokenRequired)),
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    /// Ends all of the caller's sessions but the one they ask with.
    ///
    /// # Errors
    /// [`Denial::AuthorizationRequired`] when that session ended meanwhile; ports that do not answer.
    pub async fn end_other_sessions(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        let mut user = caller.user.clone();
        for _ in 0..STALE_RETRIES {
            let session = Box::new(caller.session.clone());
            let event = LogOutEvent::OthersEnded {
                user: Box::new(user),
                session,
            };
            let effects = match self.decide(pool, origin, |cx| log_out::step(event, cx)) {
                Ok(advanced) => advanced.effects,
                Err(refused) => return Err(self.refuse(refused).await),
            };
            match self.perform(effects).await {
                Ok(()) => return Ok(()),
                Err(Halt::Stale) => user = self.still_honoured(caller).await?,
                Err(halt) => return Err(halt.or_denial(Denial::AuthorizationRequired)),
            }
        }
        Err(PortError::Stale.into())
    }
}
