//! Logging in and linking by an account elsewhere: sent away, come back, resolved.

use super::{Authenticated, LoggedIn, Services};
use crate::error::{Denial, DomainError};
use crate::flow::login::CodeRequested;
use crate::id::{ApplicationId, EntryName, IdentityId};
use crate::limits::ClientAddress;
use crate::policy::PoolPolicy;
use crate::secret::{Token, TokenHash};
use crate::session::AccessToken;
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
}

impl Callback {
    /// The flow that the parameters belong to: by `state`, or by the request token of OAuth 1.0a. None when there is no such
    /// parameter, or there are two.
    pub fn flow(params: &[(String, String)]) -> Option<TokenHash> {
        let mut handles = params
            .iter()
            .filter(|(name, _)| matches!(name.as_str(), "state" | "oauth_token" | "denied"));
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
        address: &ClientAddress,
    ) -> Result<AuthorizationStarted, DomainError> {
        let _ = (entry, ask, address);
        Err(Denial::Unexpected.into())
    }

    /// Judges what a provider sent somebody back with, and logs them in or links the account.
    ///
    /// # Errors
    /// [`Denial::AuthorizationUnknown`], [`Denial::ProviderRefused`], [`Denial::ProviderUnavailable`], [`Denial::IdentityTaken`],
    /// [`Denial::TooManyLinks`], [`Denial::ProviderEmailRequired`], [`Denial::AuthorizationRequired`] when the session that
    /// wanted to link has ended; ports that do not answer.
    pub async fn finish_authorization(
        &self,
        entry: &EntryName,
        callback: Callback,
        address: &ClientAddress,
    ) -> Result<Finished, DomainError> {
        let _ = (entry, callback, address);
        Err(Denial::Unexpected.into())
    }

    /// Hands the session of [`Outcome::Exchange`] to the client whose verifier fits.
    ///
    /// # Errors
    /// [`Denial::ExchangeRefused`], [`Denial::Limited`]; ports that do not answer.
    pub async fn exchange(
        &self,
        pool: &PoolPolicy,
        code: &Token,
        code_verifier: &str,
        address: &ClientAddress,
    ) -> Result<LoggedIn, DomainError> {
        let _ = (pool, code, code_verifier, address);
        Err(Denial::Unexpected.into())
    }
}
