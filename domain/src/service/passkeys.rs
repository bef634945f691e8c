//! Passkeys: adding one, and logging in with it.

use serde_json::Value;

use super::login::LoggedIn;
use super::{Authenticated, Services};
use crate::credential::Passkey;
use crate::error::{Denial, DomainError};
use crate::flow::factors::{ChangeFactors, ChangeFactorsEvent};
use crate::flow::login::passkey::call;
use crate::flow::login::{self, Login, LoginEvent, PasskeyAnswered, Terms};
use crate::flow::{Advanced, Refused, factors};
use crate::flow_record::{FlowBody, FlowRecord, PasskeyCall, PasskeyPurpose};
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{Asked, PoolPolicy};
use crate::ports::{PasskeyCeremony, PasskeyFault, PasskeyHolder, PasskeyVerifier, PortError};
use crate::secret::Token;
use crate::session::{AccessToken, TokenLife};
use crate::user::{FactorKind, User};

use super::STALE_RETRIES;
use super::perform::Halt;

/// An authenticator is to be asked.
#[derive(Clone, Debug)]
pub struct PasskeyAsked {
    /// Continues it.
    pub ceremony: Token,
    /// The `publicKey` member of what the browser's API is called with.
    pub options: Value,
}

/// An authenticator answered a login.
#[derive(Clone, Debug)]
pub struct PasskeyLogin {
    /// What [`PasskeyAsked::ceremony`] was.
    pub ceremony: Token,
    /// The answer: a `PublicKeyCredential` in its JSON form (WebAuthn section 5.1).
    pub answer: Value,
    /// What the session of a whole login is to be like; a pending login has its own terms.
    pub terms: Terms,
    /// Whether the device is to be asked for no second factor from now on, where the pool allows that.
    pub trust_device: bool,
}

impl Services {
    /// Whether this server speaks with authenticators at all.
    pub fn speaks_passkeys(&self) -> bool {
        self.ports.passkeys.is_some()
    }

    pub(super) fn verifier(&self) -> Result<&dyn PasskeyVerifier, DomainError> {
        let verifier = self.ports.passkeys.as_deref();
        verifier.ok_or_else(|| Denial::FactorNotOffered.into())
    }

    /// Asks an authenticator to log somebody in: as the second factor of a pending login, or, without a challenge, whoever holds a
    /// passkey.
    ///
    /// # Errors
    /// [`Denial::LoginFailed`] for a challenge that is void, [`Denial::FactorNotOffered`], [`Denial::Limited`]; ports that do not answer.
    pub async fn begin_passkey_login(
        &self,
        pool: &PoolPolicy,
        challenge: Option<&Token>,
        origin: &Origin,
    ) -> Result<PasskeyAsked, DomainError> {
        let verifier = self.verifier()?;
        let verdict = self
            .take(&self.policy.limits.passkey_call(&origin.address))
            .await?;
        let (ceremony, purpose, user) = match challenge {
            None if pool.passkey_login => (verifier.begin_assertion(&[], true)?, PasskeyPurpose::LogIn, None),
            None => return Err(Denial::FactorNotOffered.into()),
            Some(challenge) => {
                let (pending, user) = self.challenged(pool, challenge).await?;
                let (pending, user) = pending.zip(user).ok_or(Denial::LoginFailed)?;
                let ceremony = verifier.begin_assertion(&user.factors.passkeys, false)?;
                (
                    ceremony,
                    PasskeyPurpose::SecondFactor { pending: pending.id },
                    Some(user),
                )
            }
        };
        let PasskeyCeremony { options, state } = ceremony;
        let user = user.map(|user| user.key.id);
        let made = self.decide(pool, origin, |cx| match Refused::limited(verdict, None, cx) {
            Some(refused) => Err(refused),
            None => Ok(call(&pool.name, user.as_ref(), state, purpose, cx)),
        });
        let (ceremony, effect) = match made {
            Ok(made) => made,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        self.perform(vec![effect])
            .await
            .map_err(|halt| halt.or_denial(Denial::LoginFailed))?;
        Ok(PasskeyAsked { ceremony, options })
    }

    /// Logs in with what an authenticator answered.
    ///
    /// # Errors
    /// [`Denial::LoginFailed`] whatever is wrong; [`Denial::EmailNotVerified`]; [`Denial::Limited`]; ports that do not answer.
    pub async fn login_with_passkey(
        &self,
        pool: &PoolPolicy,
        login: PasskeyLogin,
        origin: &Origin,
    ) -> Result<AccessToken, DomainError> {
        let verifier = self.verifier()?;
        let called = self.called(pool, &login.ceremony).await?;
        let purpose = called.as_ref().and_then(|flow| purpose_of(flow)).cloned();
        let pending = match &purpose {
            Some(PasskeyPurpose::SecondFactor { pending }) => self.ports.flows.find(pending).await?,
            _ => None,
        };
        let user = match (&pending, &purpose) {
            (Some(pending), _) => self.user_of(pending).await?,
            (None, Some(PasskeyPurpose::LogIn)) => match verifier.named_by(&login.answer) {
                Ok(named) if named.pool == pool.name => self.ports.users.find(&named).await?,
                _ => None,
            },
            _ => None,
        };
        // Whom an answer names proves nothing: no stranger may use up the budget of somebody whose id they know. Behind a pending login
        // stands a first factor.
        let taken = self.passkey_try(user.as_ref().filter(|_| pending.is_some()), origin);
        let verdict = self.take(&taken).await?;
        let mut user = user;
        for _ in 0..STALE_RETRIES {
            let passkeys = user.as_ref().map_or(&[][..], |user| &user.factors.passkeys);
            let answer = match &called {
                Some(flow) if verdict == Verdict::Allowed => {
                    verifier.finish_assertion(state_of(flow), &login.answer, passkeys)
                }
                _ => Err(PasskeyFault::Challenge),
            };
            let facts = PasskeyAnswered {
                call: called.clone(),
                pending: pending.clone(),
                user: user.clone(),
                answer,
                verdict,
                taken: taken.clone(),
                terms: login.terms,
                trust_device: login.trust_device,
            };
            let event = LoginEvent::PasskeyAnswered(Box::new(facts));
            let step = self.decide(pool, origin, |cx| login::step(Login::Start, event, cx));
            match self.settle(step).await? {
                Some(LoggedIn::Opened(opened)) => return Ok(*opened),
                Some(LoggedIn::AwaitingCode(_)) => return Err(Denial::Unexpected.into()),
                None => user = self.reload(user.as_ref()).await?,
            }
        }
        Err(PortError::Stale.into())
    }

    /// Begins to add a passkey.
    ///
    /// # Errors
    /// [`Denial::StepUpRequired`], [`Denial::FactorNotOffered`], [`Denial::TooManyFactors`]; ports that do not answer.
    pub async fn begin_passkey(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        name: Option<String>,
        origin: &Origin,
    ) -> Result<PasskeyAsked, DomainError> {
        let user = &caller.user;
        let PasskeyCeremony { options, state } = self
            .verifier()?
            .begin_registration(&holder(user), &user.factors.passkeys)?;
        let event = ChangeFactorsEvent::PasskeyAsked {
            user: Box::new(user.clone()),
            session: Box::new(caller.session.clone()),
            name,
            state,
        };
        let step = self.decide(pool, origin, |cx| factors::step(ChangeFactors::Start, event, cx));
        let Advanced { next, effects } = match step {
            Ok(advanced) => advanced,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        self.perform(effects)
            .await
            .map_err(|halt: Halt| halt.or_denial(Denial::PasskeyRefused))?;
        match next {
            ChangeFactors::PasskeyAwaited(ceremony) => Ok(PasskeyAsked { ceremony, options }),
            _ => Err(Denial::Unexpected.into()),
        }
    }

    /// Adds the passkey that an authenticator made.
    ///
    /// # Errors
    /// [`Denial::PasskeyRefused`], [`Denial::TokenRefused`] when the ceremony is void; as [`Services::begin_passkey`].
    pub async fn finish_passkey(
        &self,
        pool: &PoolPolicy,
        caller: &Authenticated,
        ceremony: &Token,
        answer: &Value,
        origin: &Origin,
    ) -> Result<Passkey, DomainError> {
        let flow = self.called(pool, ceremony).await?;
        let made = match &flow {
            Some(flow) => self.verifier()?.finish_registration(state_of(flow), answer),
            None => Err(PasskeyFault::Challenge),
        };
        let credential = made.as_ref().map(|made| made.credential.clone());
        let user = self
            .change_factors(pool, caller, origin, |user| ChangeFactorsEvent::PasskeyMade {
                user,
                session: Box::new(caller.session.clone()),
                flow: flow.clone().map(Box::new),
                answer: made.clone(),
            })
            .await?;
        let added = credential
            .ok()
            .and_then(|id| user.factors.passkey_of(&id).cloned());
        added.ok_or_else(|| Denial::Unexpected.into())
    }

    /// The flow of a ceremony, if it is of that pool.
    pub(super) async fn called(
        &self,
        pool: &PoolPolicy,
        ceremony: &Token,
    ) -> Result<Option<FlowRecord>, PortError> {
        let flow = self.ports.flows.find(&ceremony.hash()).await?;
        Ok(flow.filter(|flow| flow.pool == pool.name))
    }

    fn passkey_try(&self, user: Option<&User>, origin: &Origin) -> Asked {
        let limits = &self.policy.limits;
        match user {
            Some(user) => limits.factor_try(FactorKind::Passkey, &user.key),
            None => limits.passkey_call(&origin.address),
        }
    }

    /// The terms of a whole login by passkey that asks for no life of its own.
    pub fn page_terms(pool: &PoolPolicy, keep: bool) -> Terms {
        let life = if keep {
            pool.ttl
        } else {
            pool.page_ttl.min(pool.ttl)
        };
        Terms::of(TokenLife::Finite(life))
    }
}

/// What the verifier wants to see again.
pub(super) fn state_of(flow: &FlowRecord) -> &str {
    match &flow.body {
        FlowBody::Passkey(call) => &call.state,
        _ => "",
    }
}

fn purpose_of(flow: &FlowRecord) -> Option<&PasskeyPurpose> {
    match &flow.body {
        FlowBody::Passkey(call) => {
            let PasskeyCall { purpose, .. } = call.as_ref();
            Some(purpose)
        }
        _ => None,
    }
}

fn holder(user: &User) -> PasskeyHolder {
    let email = user.email.as_ref().map(|email| email.as_str().to_owned());
    let username = user.username.as_ref().map(|name| name.as_str().to_owned());
    let id = || user.key.id.to_string();
    PasskeyHolder {
        user: user.key.clone(),
        name: email.clone().or_else(|| username.clone()).unwrap_or_else(id),
        display_name: username.or(email).unwrap_or_else(id),
    }
}
