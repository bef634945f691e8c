//! Logging in and linking by an account elsewhere: sent away, come back, resolved.

mod link;
mod resolve;

use std::sync::Arc;

use super::{Authenticated, ProofAsk, Services};
use crate::error::{Denial, DomainError};
use crate::flow::Advanced;
use crate::flow::authorize::{
    self, AUTHORIZATION_LIFE, Asking, Authorize, AuthorizeEvent, CameBack, Failure, Redeeming,
};
use crate::flow::link::Proven;
use crate::flow::login::CodeRequested;
use crate::flow::login::external::Opening;
use crate::flow_record::{FlowBody, Purpose};
use crate::id::{ApplicationId, EntryName, IdentityId};
use crate::origin::Origin;
use crate::policy::PoolPolicy;
use crate::ports::{AuthorizationRequest, AuthorizationResponse, LookupKey, PortError, ProviderBinding};
use crate::secret::{Secret, Token, TokenHash};
use crate::session::{AccessToken, Session, Standing};
use crate::user::User;

/// What somebody wants who is about to be sent to a provider.
#[derive(Clone, Debug, Default)]
pub struct AuthorizationAsk {
    /// Who is logged in; needed by entries that link.
    pub caller: Option<Authenticated>,
    /// The application that asks, already authenticated.
    pub application: Option<ApplicationId>,
    /// Where the person goes afterwards; already judged to be allowed.
    pub return_to: Option<String>,
    /// The S256 challenge of a client that will fetch the session by a code.
    pub code_challenge: Option<String>,
}

/// Somebody is on their way to a provider.
#[derive(Clone, Debug)]
pub struct AuthorizationStarted {
    /// The provider's page.
    pub url: String,
    /// What the browser posts there; none to go there by a redirect.
    pub form: Option<Vec<(String, String)>>,
    /// Names the flow: part of the name of the cookie that binds it to this browser.
    pub flow: TokenHash,
    /// The cookie's value.
    pub browser: Token,
    /// How long the cookie is needed.
    pub life: crate::time::Lifetime,
}

/// What a provider sent somebody back with.
#[derive(Clone, Debug)]
pub struct Callback {
    /// All parameters, in order, doubled ones too.
    pub params: Vec<(String, String)>,
    /// The cookie of the flow that [`Callback::flow`] names.
    pub browser: Option<Token>,
    /// Whether it came by a form.
    pub posted: bool,
}

impl Callback {
    /// The flow that the parameters belong to: by `state`, by SAML's `RelayState`, or by the request token of OAuth 1.0a. None when there is no such
    /// parameter, or there are two.
    pub fn flow(params: &[(String, String)]) -> Option<TokenHash> {
        let mut handles = params
            .iter()
            .filter(|(name, _)| matches!(name.as_str(), "state" | "RelayState" | "oauth_token" | "denied"));
        let (_, value) = handles.next().filter(|(_, value)| !value.is_empty())?;
        handles.next().is_none().then(|| Token::presented(value).hash())
    }
}

/// How an authorization ended well.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What came of it.
    pub outcome: Outcome,
    /// Where the person wanted to go.
    pub return_to: Option<String>,
    /// The entry the way was begun by; none where that is not known any more.
    pub entry: Option<EntryName>,
}

/// What came of an authorization.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A session is open.
    LoggedIn(Box<AccessToken>),
    /// A second factor is due; the code is on its way.
    AwaitingCode(CodeRequested),
    /// The session waits for its client, who fetches it with this code.
    Exchange(Token),
    /// The account is linked.
    Linked {
        /// To whom.
        user: Box<User>,
        /// As which.
        identity: IdentityId,
    },
    /// A user of the same address or name exists and is to be proven.
    AccountExists {
        /// Continues with the proof.
        join: Token,
        /// The ways to prove it.
        methods: Vec<&'static str>,
    },
}

impl From<Opening> for Outcome {
    fn from(opening: Opening) -> Self {
        match opening {
            Opening::LoggedIn(token) => Self::LoggedIn(token),
            Opening::AwaitingCode(requested) => Self::AwaitingCode(requested),
            Opening::Exchange(code) => Self::Exchange(code),
            Opening::AccountExists { join, methods } => Self::AccountExists { join, methods },
        }
    }
}

impl Services {
    /// Sends somebody to the provider of an entry.
    ///
    /// # Errors
    /// [`Denial::ProviderUnknown`], [`Denial::AuthorizationRequired`] for an entry that links when nobody is logged in,
    /// [`Denial::Limited`], [`Denial::ProviderRefused`], [`Denial::ProviderUnavailable`]; ports that do not answer.
    pub async fn begin_authorization(
        &self,
        entry: &EntryName,
        ask: AuthorizationAsk,
        origin: &Origin,
    ) -> Result<AuthorizationStarted, DomainError> {
        let (binding, pool) = self.bound(entry)?;
        let provider = binding.adapter.provider().ok_or(Denial::ProviderUnknown)?;
        let (client, redirect_uri) = self.client_of(&binding, ask.application.as_ref()).await?;
        let asking = Asking {
            entry: binding.entry.clone(),
            caller: ask.caller.map(|caller| (caller.user, caller.session)),
            application: ask.application.filter(|_| client.is_some()),
            redirect_uri,
            return_to: ask.return_to,
            code_challenge: ask.code_challenge,
            verdict: self
                .take(&self.policy.limits.authorization(&origin.address))
                .await?,
        };
        let event = AuthorizeEvent::Asked(Box::new(asking));
        let state = self.authorize(pool, origin, Authorize::Start, event).await?;
        let Authorize::Begin(beginning) = state else {
            return Err(Denial::Unexpected.into());
        };
        let seed = beginning.seed();
        let request = AuthorizationRequest {
            redirect_uri: beginning.redirect_uri().to_owned(),
            state: Secret::new(beginning.state.expose()),
            nonce: authorize::nonce(&self.key, &seed),
            code_verifier: authorize::code_verifier(&self.key, &seed),
            client,
        };
        let started = match provider.begin(&request).await {
            Ok(started) => started,
            Err(error) => {
                let state = Authorize::Begin(beginning);
                let failure = self.failure(&binding.entry.name, &error);
                return Err(self.provider_failed(pool, origin, state, failure).await);
            }
        };
        let carry = match &started.carry {
            Some(carry) => Some(
                self.ports
                    .sealer
                    .seal(carry, &authorize::carry_binding(&seed))
                    .await?,
            ),
            None => None,
        };
        let event = AuthorizeEvent::ProviderBegan {
            handle: started.handle,
            carry,
        };
        match self
            .authorize(pool, origin, Authorize::Begin(beginning), event)
            .await?
        {
            Authorize::Away { flow, browser } => Ok(AuthorizationStarted {
                url: started.url,
                form: started.form,
                flow,
                browser,
                life: AUTHORIZATION_LIFE,
            }),
            _ => Err(Denial::Unexpected.into()),
        }
    }

    /// Judges what a provider sent somebody back with, and logs them in or links the account. A form in a browser that nobody sent away
    /// is an answer that nobody asked for: it logs in where the entry takes such answers.
    ///
    /// # Errors
    /// [`Denial::AuthorizationUnknown`], [`Denial::ProviderRefused`], [`Denial::ProviderUnavailable`], [`Denial::IdentityTaken`],
    /// [`Denial::TooManyLinks`], [`Denial::ProviderEmailRequired`], [`Denial::EmailNotVerified`] where the pool wants addresses proven,
    /// [`Denial::AuthorizationRequired`] when the session that wanted to link has ended; ports that do not answer.
    pub async fn finish_authorization(
        &self,
        entry: &EntryName,
        callback: Callback,
        origin: &Origin,
    ) -> Result<Finished, DomainError> {
        let (binding, pool) = self.bound(entry)?;
        if binding.entry.unsolicited && callback.posted && callback.browser.is_none() {
            return self.finish_unsolicited(entry, callback.params, origin).await;
        }
        let flow = match Callback::flow(&callback.params) {
            Some(id) => self.ports.flows.find(&id).await?,
            None => None,
        };
        let facts = CameBack {
            entry: binding.entry.clone(),
            linker: match flow.as_ref().map(|flow| &flow.body) {
                Some(FlowBody::Authorization(kept)) => self.linker_of(&kept.purpose).await?,
                _ => None,
            },
            flow,
            browser: callback.browser,
            doubled: has_doubled(&callback.params),
        };
        let event = AuthorizeEvent::CameBack(Box::new(facts));
        let state = self.authorize(pool, origin, Authorize::Start, event).await?;
        let Authorize::Redeem(mut redeeming) = state else {
            return Err(Denial::Unexpected.into());
        };
        let kept = redeeming.authorization.clone();
        redeeming.client = self.client_of(&binding, kept.application.as_ref()).await?.0;
        let proven = self
            .proven(&binding, pool, redeeming, callback.params, origin)
            .await?;
        let ask = ProofAsk {
            caller: None,
            return_to: kept.return_to,
            code_challenge: kept.code_challenge,
        };
        self.conclude(pool, proven, kept.purpose, ask, origin).await
    }

    /// The adapter of an entry and the rules of its pool.
    pub(super) fn bound(
        &self,
        entry: &EntryName,
    ) -> Result<(Arc<ProviderBinding>, &PoolPolicy), DomainError> {
        let binding = self.ports.providers.find(entry).ok_or(Denial::ProviderUnknown)?;
        let pool = self.pool(&binding.entry.pool).ok_or(Denial::ProviderUnknown)?;
        Ok((binding, pool))
    }

    async fn authorize(
        &self,
        pool: &PoolPolicy,
        origin: &Origin,
        state: Authorize,
        event: AuthorizeEvent,
    ) -> Result<Authorize, DomainError> {
        match self.decide(pool, origin, |cx| authorize::step(state, event, cx)) {
            Ok(Advanced { next, effects }) => match self.perform(effects).await {
                Ok(()) => Ok(next),
                Err(halt) => Err(halt.or_denial(Denial::AuthorizationUnknown)),
            },
            Err(refused) => Err(self.refuse(refused).await),
        }
    }

    async fn provider_failed(
        &self,
        pool: &PoolPolicy,
        origin: &Origin,
        state: Authorize,
        failure: Failure,
    ) -> DomainError {
        let event = AuthorizeEvent::ProviderFailed(failure);
        match self.authorize(pool, origin, state, event).await {
            Ok(_) => Denial::Unexpected.into(),
            Err(error) => error,
        }
    }

    /// The session and user that an authorization wants to link to, as stored now.
    async fn linker_of(&self, purpose: &Purpose) -> Result<Option<(User, Session)>, DomainError> {
        let Purpose::Link { session, .. } = purpose else {
            return Ok(None);
        };
        let Some(session) = self.ports.sessions.find(session).await? else {
            return Ok(None);
        };
        let user = self.ports.users.find(&session.user).await?;
        Ok(user.map(|user| (user, session)))
    }

    /// Who links, read again: a provider may take its time, and whoever logged out meanwhile links nothing any more.
    pub(super) async fn still_linking(&self, purpose: &Purpose) -> Result<User, DomainError> {
        let now = self.ports.clock.now();
        let linker = self.linker_of(purpose).await?;
        let live = linker.filter(|(user, session)| session.standing(Some(user), now) == Standing::Live);
        let user = live.map(|(user, _)| user);
        user.ok_or_else(|| Denial::AuthorizationRequired.into())
    }

    /// Lets the adapter judge the answer, and the core the account.
    async fn proven(
        &self,
        binding: &ProviderBinding,
        pool: &PoolPolicy,
        redeeming: Box<Redeeming>,
        params: Vec<(String, String)>,
        origin: &Origin,
    ) -> Result<Proven, DomainError> {
        let kept = &redeeming.authorization;
        let carry = match &kept.carry {
            Some(carry) => Some(
                self.ports
                    .sealer
                    .open(carry, &authorize::carry_binding(&kept.seed))
                    .await?,
            ),
            None => None,
        };
        let response = AuthorizationResponse {
            params,
            redirect_uri: kept.redirect_uri.clone(),
            nonce: authorize::nonce(&self.key, &kept.seed),
            code_verifier: authorize::code_verifier(&self.key, &kept.seed),
            carry,
            client: redeeming.client.clone(),
            now: self.ports.clock.now(),
        };
        let provider = binding.adapter.provider().ok_or(Denial::ProviderUnknown)?;
        let arrival = match provider.complete(&response).await {
            Ok(arrival) => arrival,
            Err(error) => {
                let state = Authorize::Redeem(redeeming);
                let failure = self.failure(&binding.entry.name, &error);
                return Err(self.provider_failed(pool, origin, state, failure).await);
            }
        };
        let event = AuthorizeEvent::Arrived {
            once: self.take_once(&arrival).await?,
            arrival: Box::new(arrival),
        };
        match self
            .authorize(pool, origin, Authorize::Redeem(redeeming), event)
            .await?
        {
            Authorize::Proven(proven) => Ok(*proven),
            _ => Err(Denial::Unexpected.into()),
        }
    }

    async fn holder_of(&self, pool: &PoolPolicy, proven: &Proven) -> Result<Option<User>, PortError> {
        self.user_by(pool, LookupKey::Identity(proven.key.to_text()))
            .await
    }
}

/// Whether a parameter is there twice: no honest provider does that, and readers disagree on which one counts.
fn has_doubled(params: &[(String, String)]) -> bool {
    let mut names: Vec<&str> = params.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}
