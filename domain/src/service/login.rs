//! Logging in.

use super::lookup::Named;
use super::perform::Halt;
use super::{Credentials, LoginName, STALE_RETRIES, Services};
use crate::error::{Denial, DomainError};
use crate::flow::login::pending::Waits;
use crate::flow::login::{
    self, Candidate, CodeAskedAgain, CodeRequested, CodeTyped, Identified, Login, LoginEvent,
    PasswordChecked, Sending, Terms, Wanted,
};
use crate::flow::second_factor::{Typed, kind_of};
use crate::flow::{Advanced, Step};
use crate::flow_record::{FlowBody, FlowKind, FlowRecord};
use crate::id::DeviceId;
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::policy::{Asked, Limits, PoolPolicy};
use crate::ports::{PortError, Verified};
use crate::secret::{Secret, Token};
use crate::session::{AccessToken, TokenLife};
use crate::user::{FactorKind, User};

/// What a first step led to.
#[derive(Clone, Debug)]
pub enum LoggedIn {
    /// The door is open.
    Opened(Box<AccessToken>),
    /// A code is on its way.
    AwaitingCode(CodeRequested),
}

/// The second step: a code, with the challenge it belongs to or with the name it was requested for.
#[derive(Clone, Debug)]
pub struct CodeLogin {
    /// The name; required without a challenge, checked with one.
    pub name: Option<LoginName>,
    /// The realm, where the pool has realms.
    pub realm: Option<String>,
    /// What was typed.
    pub code: Secret,
    /// What `requestCode` answered.
    pub challenge: Option<Token>,
    /// Which kind of code it is; none to let it be told by its looks and by what was sent.
    pub method: Option<FactorKind>,
    /// Whether the device is to be asked for no second factor from now on, where the pool allows that.
    pub trust_device: bool,
}

impl Services {
    /// Logs in with a password. A due second factor is an error.
    ///
    /// # Errors
    /// Every denial of [`crate::flow::login::password`]; ports that do not answer.
    pub async fn login(
        &self,
        pool: &PoolPolicy,
        credentials: &Credentials,
        terms: Terms,
        origin: &Origin,
    ) -> Result<AccessToken, DomainError> {
        match self
            .with_password(pool, credentials, Wanted::Session(terms), origin)
            .await?
        {
            LoggedIn::Opened(token) => Ok(*token),
            LoggedIn::AwaitingCode(_) => Err(Denial::Unexpected.into()),
        }
    }

    /// The first of two steps: a right password opens a pending login, and sends a code where that is the way to go on. `method` names
    /// the second factor the caller wants to prove.
    ///
    /// # Errors
    /// As [`Services::login`]; [`Denial::PhoneRequired`] where the code has nowhere to go.
    pub async fn request_code(
        &self,
        pool: &PoolPolicy,
        credentials: &Credentials,
        method: Option<FactorKind>,
        refresh: bool,
        origin: &Origin,
    ) -> Result<CodeRequested, DomainError> {
        let terms = Terms {
            life: TokenLife::Finite(pool.code_token_ttl),
            refresh,
        };
        let wanted = Wanted::Code(terms, method);
        match self.with_password(pool, credentials, wanted, origin).await? {
            LoggedIn::AwaitingCode(requested) => Ok(requested),
            LoggedIn::Opened(_) => Err(Denial::Unexpected.into()),
        }
    }

    /// Logs in with a password, and goes on to a code where a second factor is due: what a login page needs.
    ///
    /// # Errors
    /// As [`Services::request_code`].
    pub async fn login_or_request_code(
        &self,
        pool: &PoolPolicy,
        credentials: &Credentials,
        terms: Terms,
        origin: &Origin,
    ) -> Result<LoggedIn, DomainError> {
        self.with_password(pool, credentials, Wanted::SessionOrCode(terms), origin)
            .await
    }

    async fn with_password(
        &self,
        pool: &PoolPolicy,
        credentials: &Credentials,
        wanted: Wanted,
        origin: &Origin,
    ) -> Result<LoggedIn, DomainError> {
        let Named { user, account } = self
            .named(pool, credentials.realm.as_deref(), &credentials.name)
            .await?;
        let known = user.as_ref().and_then(|user| known_device(user, origin));
        let limits = &self.policy.limits;
        let taken = limits.password_try(&pool.name, &account, &origin.address, known);
        let verdict = self.take(&taken).await?;
        let mut user = user;
        for _ in 0..STALE_RETRIES {
            let facts = Identified {
                user: user.clone(),
                verdict,
                taken: taken.clone(),
                wanted,
            };
            let event = LoginEvent::Identified(Box::new(facts));
            let candidate = match self.decide(pool, origin, |cx| login::step(Login::Start, event, cx)) {
                Ok(Advanced {
                    next: Login::CheckPassword(candidate),
                    ..
                }) => candidate,
                Ok(_) => return Err(Denial::Unexpected.into()),
                Err(refused) => return Err(self.refuse(refused).await),
            };
            let facts = self.check_password(pool, &candidate, credentials, origin).await;
            let facts = self.judged(&taken, facts).await?;
            let event = LoginEvent::PasswordChecked(Box::new(facts));
            let step = self.decide(pool, origin, |cx| {
                login::step(Login::CheckPassword(candidate), event, cx)
            });
            match self.settle(step).await? {
                Some(logged_in) => return Ok(logged_in),
                // Decided on an older state of the user: read it again. The try was counted already.
                None => {
                    user = self
                        .named(pool, credentials.realm.as_deref(), &credentials.name)
                        .await?
                        .user;
                }
            }
        }
        Err(PortError::Stale.into())
    }

    /// Gathers what judging a password needs; the counters for messages are asked only when a message would go out.
    async fn check_password(
        &self,
        pool: &PoolPolicy,
        candidate: &Candidate,
        credentials: &Credentials,
        origin: &Origin,
    ) -> Result<PasswordChecked, DomainError> {
        let hash = candidate.user.as_ref().and_then(|user| user.password.as_ref());
        let verified = self.ports.hasher.verify(&credentials.password, hash).await?;
        let right = verified != Verified::Wrong;
        let waits = self.decide(pool, origin, |cx| candidate.waits(cx));
        let user = candidate.user.as_ref().filter(|_| right);
        let waits = if right { waits } else { Waits::No };
        let sending = self.sending(user, waits, origin).await?;
        Ok(PasswordChecked { verified, sending })
    }

    /// Gathers what letting a login wait needs; takes from the counters for messages only where one will be sent.
    pub(super) async fn sending(
        &self,
        user: Option<&User>,
        waits: Waits,
        origin: &Origin,
    ) -> Result<Sending, DomainError> {
        let mut sending = Sending {
            verdict: Verdict::Allowed,
            pending: Vec::new(),
            reaches_without_number: self.ports.sms.reaches_without_number(),
        };
        let Some(user) = user.filter(|_| waits != Waits::No) else {
            return Ok(sending);
        };
        let reached = user.code_phone().is_some() || sending.reaches_without_number;
        if waits == Waits::WithCode && reached {
            sending.verdict = self.take_send(user, origin).await?;
        }
        sending.pending = self.ports.flows.list(&user.key, FlowKind::PendingLogin).await?;
        Ok(sending)
    }

    /// Takes from the counters for messages to a user's number.
    pub(super) async fn take_send(&self, user: &User, origin: &Origin) -> Result<Verdict, PortError> {
        let limits = &self.policy.limits;
        self.take(&limits.code_send(&user.key, &origin.address, user.code_phone()))
            .await
    }

    /// Logs in with a code.
    ///
    /// # Errors
    /// [`Denial::LoginFailed`] whatever is wrong; [`Denial::Limited`]; ports that do not answer.
    pub async fn login_with_code(
        &self,
        pool: &PoolPolicy,
        code: CodeLogin,
        origin: &Origin,
    ) -> Result<AccessToken, DomainError> {
        let (pending, user) = self.pending_login(pool, &code, origin).await?;
        let login = pending.as_ref().and_then(|flow| match &flow.body {
            FlowBody::PendingLogin(login) => Some(login),
            _ => None,
        });
        let kind = kind_of(
            code.method,
            &code.code,
            login.is_some_and(|login| login.code.is_some()),
        );
        let new_app = login.and_then(|login| login.app.clone());
        // The account's budget is at stake only for who reaches a pending login: a stranger can neither drain it nor learn by it
        // that the account exists.
        let mut taken = match (&pending, &user) {
            (Some(_), Some(user)) => self.policy.limits.factor_try(kind, &user.key),
            _ => Asked::new(),
        };
        if code.challenge.is_none() {
            taken.extend(self.policy.limits.code_try_from(&origin.address));
        }
        let verdict = self.take(&taken).await?;
        let tries_left = match (&pending, verdict) {
            (Some(record), Verdict::Allowed) => {
                self.take(&Limits::tries_of_one_code(
                    &record.id.to_text(),
                    pool.pending_login_life,
                ))
                .await?
            }
            _ => Verdict::Allowed,
        };
        let mut facts = CodeTyped {
            typed: Typed {
                kind,
                text: code.code,
                apps: self
                    .opened_apps(
                        user.as_ref().filter(|_| pending.is_some()),
                        new_app.as_deref(),
                        kind,
                    )
                    .await?,
            },
            pending,
            user,
            verdict,
            tries_left,
            taken,
            trust_device: code.trust_device,
        };
        for _ in 0..STALE_RETRIES {
            let event = LoginEvent::CodeTyped(Box::new(facts.clone()));
            let step = self.decide(pool, origin, |cx| login::step(Login::Start, event, cx));
            match self.settle(step).await? {
                Some(LoggedIn::Opened(opened)) => return Ok(*opened),
                Some(LoggedIn::AwaitingCode(_)) => return Err(Denial::Unexpected.into()),
                None => facts.user = self.reload(facts.user.as_ref()).await?,
            }
        }
        Err(PortError::Stale.into())
    }

    /// Sends a new code for a pending login.
    ///
    /// # Errors
    /// [`Denial::LoginFailed`] when the challenge is void; [`Denial::Limited`]; ports that do not answer.
    pub async fn resend_code(
        &self,
        pool: &PoolPolicy,
        challenge: &Token,
        origin: &Origin,
    ) -> Result<CodeRequested, DomainError> {
        let (pending, user) = self.challenged(pool, challenge).await?;
        let send = match &user {
            Some(user) => self.take_send(user, origin).await?,
            None => Verdict::Allowed,
        };
        let event = LoginEvent::CodeAskedAgain(Box::new(CodeAskedAgain {
            pending,
            user,
            send,
            reaches_without_number: self.ports.sms.reaches_without_number(),
        }));
        let step = self.decide(pool, origin, |cx| login::step(Login::Start, event, cx));
        match self.settle(step).await? {
            Some(LoggedIn::AwaitingCode(requested)) => Ok(requested),
            _ => Err(Denial::LoginFailed.into()),
        }
    }

    /// Carries a step out. `None` means the user was changed meanwhile.
    pub(super) async fn settle(&self, step: Step<Login>) -> Result<Option<LoggedIn>, DomainError> {
        let Advanced { next, effects } = match step {
            Ok(advanced) => advanced,
            Err(refused) => return Err(self.refuse(refused).await),
        };
        match self.perform(effects).await {
            Ok(()) => {}
            Err(Halt::Stale) => return Ok(None),
            Err(halt) => return Err(halt.or_denial(Denial::LoginFailed)),
        }
        match next {
            Login::Opened(token) => Ok(Some(LoggedIn::Opened(token))),
            Login::AwaitingCode(requested) => Ok(Some(LoggedIn::AwaitingCode(requested))),
            Login::Start | Login::CheckPassword(_) | Login::SealApp(_) => Err(Denial::Unexpected.into()),
        }
    }

    /// The pending login a code is meant for: the challenge's, or the newest one of the named user from this very address.
    async fn pending_login(
        &self,
        pool: &PoolPolicy,
        code: &CodeLogin,
        origin: &Origin,
    ) -> Result<(Option<FlowRecord>, Option<User>), DomainError> {
        let named = match &code.name {
            Some(name) => self.named(pool, code.realm.as_deref(), name).await?.user,
            None => None,
        };
        let Some(challenge) = &code.challenge else {
            let Some(user) = named else {
                return Ok((None, None));
            };
            let pending = self.ports.flows.list(&user.key, FlowKind::PendingLogin).await?;
            let from_here = |flow: &FlowRecord| matches!(&flow.body, FlowBody::PendingLogin(login) if login.address == origin.address);
            return Ok((pending.into_iter().rev().find(from_here), Some(user)));
        };
        let (pending, user) = self.challenged(pool, challenge).await?;
        let same =
            code.name.is_none() || named.map(|named| named.key) == user.as_ref().map(|user| user.key.clone());
        Ok((pending.filter(|_| same), user))
    }

    pub(super) async fn challenged(
        &self,
        pool: &PoolPolicy,
        challenge: &Token,
    ) -> Result<(Option<FlowRecord>, Option<User>), DomainError> {
        let pending = self
            .ports
            .flows
            .find(&challenge.hash())
            .await?
            .filter(|flow| flow.pool == pool.name);
        let user = match &pending {
            Some(flow) => self.user_of(flow).await?,
            None => None,
        };
        Ok((pending, user))
    }

    pub(super) async fn reload(&self, user: Option<&User>) -> Result<Option<User>, DomainError> {
        match user {
            Some(user) => Ok(self.ports.users.find(&user.key).await?),
            None => Ok(None),
        }
    }
}

/// The device a request comes from, if it was handed a token at an earlier login of this user: strangers who guess from elsewhere must
/// not be able to lock it out.
pub(super) fn known_device<'a>(user: &'a User, origin: &Origin) -> Option<&'a DeviceId> {
    let token = origin.device_token()?;
    user.device(&token).map(|device| &device.id)
}
