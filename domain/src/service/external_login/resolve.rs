//! Logging in with a proven account, and fetching a session that waits.

use super::super::perform::Halt;
use super::super::{ARRIVAL_RETRIES, LoggedIn, Services};
use super::Outcome;
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::link::Proven;
use crate::flow::login::external::{self, Exchanged, External, ExternalEvent, Onward, Opening};
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::{LookupKey, PortError};
use crate::secret::Token;

/// What a step on the way waits for: the world's answer, or nothing because the user was changed meanwhile.
enum Settled {
    Done(Opening),
    Stale,
}

/// Why the last step came to nothing.
enum Halted {
    Denied(DomainError),
    Spent,
    Port(PortError),
}

impl From<Halted> for DomainError {
    fn from(halted: Halted) -> Self {
        match halted {
            Halted::Denied(error) => error,
            Halted::Spent => Denial::AuthorizationUnknown.into(),
            Halted::Port(error) => error.into(),
        }
    }
}

impl Services {
    /// Hands the session of [`Outcome::Exchange`] to the client whose verifier fits.
    ///
    /// # Errors
    /// [`Denial::ExchangeRefused`], [`Denial::Limited`]; ports that do not answer.
    pub async fn exchange(
        &self,
        pool: &PoolPolicy,
        code: &Token,
        code_verifier: &str,
        origin: &Origin,
    ) -> Result<LoggedIn, DomainError> {
        let flow = self.ports.flows.find(&code.hash()).await?;
        let user = match &flow {
            Some(flow) => self.user_of(flow).await?,
            None => None,
        };
        let taken = self.policy.limits.token_try(&origin.address);
        let facts = Exchanged {
            flow,
            user,
            code_verifier: code_verifier.to_owned(),
            verdict: self.take(&taken).await?,
            taken,
        };
        let event = ExternalEvent::Exchanged(Box::new(facts));
        let step = self.decide(pool, origin, |cx| external::step(External::Start, event, cx));
        let entrance = match step {
            Ok(Advanced {
                next: External::Enter(entrance),
                ..
            }) => entrance,
            Ok(_) => return Err(Denial::Unexpected.into()),
            Err(refused) => return Err(self.refuse(refused).await),
        };
        let waits = self.decide(pool, origin, |cx| entrance.waits(cx));
        let sending = self.sending(Some(entrance.user()), waits, origin).await?;
        let (state, event) = (External::Enter(entrance), ExternalEvent::Ready(sending));
        match self.settle_external(pool, origin, state, event).await {
            Ok(Settled::Done(Opening::LoggedIn(opened))) => Ok(LoggedIn::Opened(opened)),
            Ok(Settled::Done(Opening::AwaitingCode(requested))) => Ok(LoggedIn::AwaitingCode(requested)),
            Ok(_) | Err(Halted::Spent) => Err(Denial::ExchangeRefused.into()),
            Err(halted) => Err(halted.into()),
        }
    }

    /// Logs in. A key that somebody else took meanwhile, and a user who was changed meanwhile, are looked up again.
    pub(in crate::service) async fn arrive(
        &self,
        pool: &PoolPolicy,
        proven: Proven,
        onward: Onward,
        origin: &Origin,
    ) -> Result<Outcome, DomainError> {
        for _ in 0..ARRIVAL_RETRIES {
            let holder = self.holder_of(pool, &proven).await?;
            let event = ExternalEvent::Arrived {
                proven: Box::new(proven.clone()),
                holder: holder.map(Box::new),
                onward: onward.clone(),
            };
            let mut state = self.external(pool, origin, External::Start, event).await?;
            if let External::LookUp(newcomer) = &state {
                let email_holder = match newcomer.email_key() {
                    Some(key) => self.user_by(pool, LookupKey::Email(key)).await?,
                    None => None,
                };
                let username_holder = match newcomer.username_key() {
                    Some(key) => self.user_by(pool, LookupKey::Username(key)).await?,
                    None => None,
                };
                let event = ExternalEvent::KeysLookedUp {
                    email_holder: email_holder.map(Box::new),
                    username_holder: username_holder.map(Box::new),
                };
                state = self.external(pool, origin, state, event).await?;
            }
            let External::Seal(arriving) = state else {
                return Err(Denial::Unexpected.into());
            };
            let sealed = self.seal_grant(&arriving.user, &arriving.draft).await?;
            let waits = self.decide(pool, origin, |cx| arriving.waits(cx));
            let sending = self.sending(Some(&arriving.user), waits, origin).await?;
            let event = ExternalEvent::Sealed { sealed, sending };
            match self
                .settle_external(pool, origin, External::Seal(arriving), event)
                .await
            {
                Ok(Settled::Done(opening)) => return Ok(opening.into()),
                Ok(Settled::Stale) => {}
                Err(halted) => return Err(halted.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    /// A step without effects.
    async fn external(
        &self,
        pool: &PoolPolicy,
        origin: &Origin,
        state: External,
        event: ExternalEvent,
    ) -> Result<External, DomainError> {
        match self.decide(pool, origin, |cx| external::step(state, event, cx)) {
            Ok(advanced) => Ok(advanced.next),
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    /// The last step, and its effects.
    async fn settle_external(
        &self,
        pool: &PoolPolicy,
        origin: &Origin,
        state: External,
        event: ExternalEvent,
    ) -> Result<Settled, Halted> {
        let Advanced { next, effects } =
            match self.decide(pool, origin, |cx| external::step(state, event, cx)) {
                Ok(advanced) => advanced,
                Err(refused) => return Err(Halted::Denied(self.refuse(refused).await)),
            };
        match (self.perform(effects).await, next) {
            (Ok(()), External::Done(opening)) => Ok(Settled::Done(opening)),
            (Ok(()), _) => Err(Halted::Denied(Denial::Unexpected.into())),
            (Err(Halt::Stale | Halt::KeyTaken(_)), _) => Ok(Settled::Stale),
            (Err(Halt::Spent), _) => Err(Halted::Spent),
            (Err(Halt::Unreachable), _) => Err(Halted::Denied(Denial::PhoneUnreachable.into())),
            (Err(Halt::Failed(error)), _) => Err(Halted::Port(error)),
        }
    }
}
