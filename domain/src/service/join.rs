//! Joining an account elsewhere with a user here of the same address or name, after proof of both.

use super::external_login::{Finished, Outcome};
use super::perform::Halt;
use super::{STALE_RETRIES, Services};
use crate::credential::Password;
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::link::credential_binding;
use crate::flow::link::join::{self, JoinFacts, Joining, JoiningEvent};
use crate::flow_record::{FlowBody, FlowRecord, Join};
use crate::id::DeviceId;
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{Asked, Limits, MailBudget, PoolPolicy};
use crate::ports::{PortError, Verified};
use crate::secret::{Secret, Token};
use crate::user::User;

/// What a page may show of an offered join: nothing about the user here that the person did not bring along.
#[derive(Clone, Debug)]
pub struct JoinOffer {
    /// The provider of the account elsewhere.
    pub provider: String,
    /// How that account is shown.
    pub account: Option<String>,
    /// The ways to prove the user here: `password`, `email`.
    pub methods: Vec<&'static str>,
    /// Whether a code was mailed already.
    pub code_sent: bool,
}

/// An offer as loaded.
struct Loaded {
    flow: Option<FlowRecord>,
    user: Option<User>,
}

impl Loaded {
    fn join(&self) -> Option<&Join> {
        match self.flow.as_ref().map(|flow| &flow.body) {
            Some(FlowBody::Join(join)) => Some(join),
            _ => None,
        }
    }

    /// What is told beside an outcome: the offer is spent by then.
    fn onward(&self) -> impl FnOnce(Outcome) -> Finished + Send + use<> {
        let entry = self.join().map(|join| join.entry.clone());
        let return_to = self.join().and_then(|join| join.return_to.clone());
        move |outcome| Finished {
            outcome,
            return_to,
            entry,
        }
    }

    /// See [`super::login::known_device`].
    fn known_device(&self, origin: &Origin) -> Option<&DeviceId> {
        super::login::known_device(self.user.as_ref()?, origin)
    }

    /// How counters call the account; what names no offer is counted for the address alone.
    fn account(&self) -> String {
        let user = self.user.as_ref();
        user.map_or_else(|| "nobody".to_owned(), |user| user.key.id.to_string())
    }
}

impl Services {
    /// The offer a token continues, if it still stands.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn find_join(&self, pool: &PoolPolicy, join: &Token) -> Result<Option<JoinOffer>, DomainError> {
        let loaded = self.offer(pool, join).await?;
        let now = self.ports.clock.now();
        let stands = loaded.flow.as_ref().is_some_and(|flow| !flow.is_expired(now));
        let (Some(join), Some(user), true) = (loaded.join(), &loaded.user, stands) else {
            return Ok(None);
        };
        let profile = &join.link.identity.profile;
        let address = profile.emails.first().map(|email| email.value.clone());
        let shown = address
            .or_else(|| profile.username.clone())
            .or_else(|| profile.display_name.clone());
        let methods = [
            (user.password.is_some(), "password"),
            (user.email.is_some(), "email"),
        ];
        Ok(Some(JoinOffer {
            provider: join.link.identity.key.provider.to_string(),
            account: shown,
            methods: methods
                .into_iter()
                .filter_map(|(is, way)| is.then_some(way))
                .collect(),
            code_sent: join.code.is_some(),
        }))
    }

    /// Proves the user by their password and joins; a due second factor is asked for before anything is joined.
    ///
    /// # Errors
    /// [`Denial::LoginFailed`] whatever is wrong; [`Denial::EmailNotVerified`] where the pool wants addresses proven and the user's is
    /// not; [`Denial::Limited`]; ports that do not answer.
    pub async fn join_with_password(
        &self,
        pool: &PoolPolicy,
        join: &Token,
        password: &Password,
        origin: &Origin,
    ) -> Result<Finished, DomainError> {
        let mut loaded = self.offer(pool, join).await?;
        let finished = loaded.onward();
        let taken = self.policy.limits.password_try(
            &pool.name,
            &loaded.account(),
            &origin.address,
            loaded.known_device(origin),
        );
        let verdict = self.take(&taken).await?;
        for _ in 0..STALE_RETRIES {
            let facts = JoinFacts {
                flow: loaded.flow.clone(),
                user: loaded.user.clone(),
                verdict,
                taken: taken.clone(),
            };
            let event = JoiningEvent::PasswordGiven(Box::new(facts));
            let state = self.joining(pool, origin, Joining::Start, event).await?;
            let Joining::CheckPassword(candidate) = state else {
                return Err(Denial::Unexpected.into());
            };
            let verified = self.compare(&taken, password, &candidate.user).await?;
            let state = Joining::CheckPassword(candidate);
            let event = JoiningEvent::PasswordChecked(verified);
            let state = self.joining(pool, origin, state, event).await?;
            match self.let_in(pool, state, origin).await? {
                Some(outcome) => return Ok(finished(outcome)),
                None => loaded = self.offer(pool, join).await?,
            }
        }
        Err(PortError::Stale.into())
    }

    async fn compare(
        &self,
        taken: &Asked,
        password: &Password,
        user: &User,
    ) -> Result<Verified, DomainError> {
        let verified = self.ports.hasher.verify(password, user.password.as_ref()).await;
        self.judged(taken, verified.map_err(DomainError::from)).await
    }

    /// Mails a code to the user's own address.
    ///
    /// # Errors
    /// [`Denial::LoginFailed`] when the offer does not stand; [`Denial::Limited`]; ports that do not answer.
    pub async fn send_join_code(
        &self,
        pool: &PoolPolicy,
        join: &Token,
        origin: &Origin,
    ) -> Result<(), DomainError> {
        let loaded = self.offer(pool, join).await?;
        let mail = match &loaded.user {
            Some(_) => {
                let account = loaded.account();
                let asked = self
                    .policy
                    .limits
                    .mail(MailBudget::Join, &pool.name, &account, &origin.address);
                self.take(&asked).await?
            }
            None => Verdict::Allowed,
        };
        let event = JoiningEvent::CodeAsked {
            flow: loaded.flow,
            user: loaded.user.map(Box::new),
            mail,
        };
        self.joining(pool, origin, Joining::Start, event)
            .await
            .map(|_| ())
    }

    /// Proves the user by the mailed code and joins.
    ///
    /// # Errors
    /// As [`Services::join_with_password`].
    pub async fn join_with_code(
        &self,
        pool: &PoolPolicy,
        join: &Token,
        code: &Secret,
        origin: &Origin,
    ) -> Result<Finished, DomainError> {
        let mut loaded = self.offer(pool, join).await?;
        let finished = loaded.onward();
        let mut taken = match &loaded.user {
            Some(user) => self.policy.limits.join_code_try(&user.key),
            None => Asked::new(),
        };
        taken.extend(self.policy.limits.code_try_from(&origin.address));
        let verdict = self.take(&taken).await?;
        let tries_left = match (&loaded.flow, verdict) {
            (Some(flow), Verdict::Allowed) => {
                let tries = Limits::tries_of_one_code(&flow.id.to_text(), join::JOIN_CODE_LIFE);
                self.take(&tries).await?
            }
            _ => Verdict::Allowed,
        };
        for _ in 0..STALE_RETRIES {
            let event = JoiningEvent::CodeTyped {
                facts: Box::new(JoinFacts {
                    flow: loaded.flow.clone(),
                    user: loaded.user.clone(),
                    verdict,
                    taken: taken.clone(),
                }),
                typed: code.clone(),
                tries_left,
            };
            let state = self.joining(pool, origin, Joining::Start, event).await?;
            match self.let_in(pool, state, origin).await? {
                Some(outcome) => return Ok(finished(outcome)),
                None => loaded = self.offer(pool, join).await?,
            }
        }
        Err(PortError::Stale.into())
    }

    /// Makes a separate user of the account elsewhere, without address and name: either may be the namesake's.
    ///
    /// # Errors
    /// As [`Services::join_with_password`].
    pub async fn decline_join(
        &self,
        pool: &PoolPolicy,
        join: &Token,
        origin: &Origin,
    ) -> Result<Finished, DomainError> {
        let loaded = self.offer(pool, join).await?;
        let finished = loaded.onward();
        let taken = self.policy.limits.token_try(&origin.address);
        let facts = JoinFacts {
            flow: loaded.flow,
            user: loaded.user,
            verdict: self.take(&taken).await?,
            taken,
        };
        let event = JoiningEvent::Declined {
            newcomers: self.takes_newcomers(facts.flow.as_ref()),
            facts: Box::new(facts),
        };
        let state = self.joining(pool, origin, Joining::Start, event).await?;
        let Joining::Seal(separate) = state else {
            return Err(Denial::Unexpected.into());
        };
        let sealed = match &separate.link.credential {
            Some(credential) => {
                let key = &separate.link.identity.key;
                let tokens = self
                    .open_grant(&separate.sealed_for, &separate.link.identity, credential)
                    .await?;
                let user = &separate.user.key;
                let binding = credential_binding(user, key, &credential.entry, &credential.client_id);
                Some(self.ports.sealer.seal(&tokens.to_secret(), &binding).await?)
            }
            None => None,
        };
        let waits = self.decide(pool, origin, |cx| separate.waits(cx));
        let sending = self.sending(Some(&separate.user), waits, origin).await?;
        let (state, event) = (Joining::Seal(separate), JoiningEvent::Sealed { sealed, sending });
        let outcome = self.settle_join(pool, origin, state, event).await?;
        // Without one somebody else got the account meanwhile: the offer is void.
        Ok(finished(outcome.ok_or(Denial::IdentityTaken)?))
    }

    async fn offer(&self, pool: &PoolPolicy, join: &Token) -> Result<Loaded, DomainError> {
        let flow = self.ports.flows.find(&join.hash()).await?;
        let flow = flow.filter(|flow| flow.pool == pool.name && matches!(flow.body, FlowBody::Join(_)));
        let user = match &flow {
            Some(flow) => self.user_of(flow).await?,
            None => None,
        };
        Ok(Loaded { flow, user })
    }

    /// Whether people become users by the entry that an offer came by. One that is not there any more makes nobody a user.
    fn takes_newcomers(&self, flow: Option<&FlowRecord>) -> bool {
        let Some(FlowBody::Join(join)) = flow.map(|flow| &flow.body) else {
            return false;
        };
        let binding = self.ports.providers.find(&join.entry);
        binding.is_some_and(|binding| !binding.entry.only_known_users)
    }

    /// A step whose effects, if it has any, are all there is to it.
    async fn joining(
        &self,
        pool: &PoolPolicy,
        origin: &Origin,
        state: Joining,
        event: JoiningEvent,
    ) -> Result<Joining, DomainError> {
        match self.decide(pool, origin, |cx| join::step(state, event, cx)) {
            Ok(Advanced { next, effects }) => match self.perform(effects).await {
                Ok(()) => Ok(next),
                Err(halt) => Err(halt.or_denial(Denial::LoginFailed)),
            },
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    /// Both sides are proven: joins and lets in. `None` means the user was changed meanwhile.
    async fn let_in(
        &self,
        pool: &PoolPolicy,
        state: Joining,
        origin: &Origin,
    ) -> Result<Option<Outcome>, DomainError> {
        let Joining::Enter(entrance) = state else {
            return Err(Denial::Unexpected.into());
        };
        let waits = self.decide(pool, origin, |cx| entrance.waits(cx));
        let sending = self.sending(Some(entrance.user()), waits, origin).await?;
        let (state, event) = (Joining::Enter(entrance), JoiningEvent::Ready(sending));
        self.settle_join(pool, origin, state, event).await
    }

    async fn settle_join(
        &self,
        pool: &PoolPolicy,
        origin: &Origin,
        state: Joining,
        event: JoiningEvent,
    ) -> Result<Option<Outcome>, DomainError> {
        let Advanced { next, effects } = match self.decide(pool, origin, |cx| join::step(state, event, cx)) {
            Ok(advanced) => advanced,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        match (self.perform(effects).await, next) {
            (Ok(()), Joining::Done(opening)) => Ok(Some(Outcome::from(opening))),
            (Err(Halt::Stale), _) => Ok(None),
            (Err(Halt::KeyTaken(_)), _) => Err(Denial::IdentityTaken.into()),
            (Err(halt), _) => Err(halt.or_denial(Denial::LoginFailed)),
            (Ok(()), _) => Err(Denial::Unexpected.into()),
        }
    }
}
