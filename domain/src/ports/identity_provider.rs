use async_trait::async_trait;

use super::ProviderFault;
use crate::identity::{Profile, ProviderClient, ProviderSession, ProviderTokens};
use crate::secret::Secret;
use crate::time::Timestamp;

/// What a provider needs to begin. Everything unguessable in it was drawn for this one authorization.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// Where the provider sends the person back to.
    pub redirect_uri: String,
    /// Comes back with the person (RFC 6749 section 10.12).
    pub state: Secret,
    /// Comes back inside the ID token (OpenID Connect Core section 3.1.2.1).
    pub nonce: Secret,
    /// The secret behind the code challenge (RFC 7636 section 4.1).
    pub code_verifier: Secret,
    /// An application's own client, in place of the entry's.
    pub client: Option<ProviderClient>,
}

/// Where to send the person.
#[derive(Clone, Debug)]
pub struct AuthorizationStart {
    /// The provider's page.
    pub url: String,
    /// What the browser posts there, where the page does not take it in its address (the POST binding of SAML 2.0 and of OpenID
    /// 2.0); none to go there by a redirect.
    pub form: Option<Vec<(String, String)>>,
    /// What comes back in place of `state`: the request token of OAuth 1.0a.
    pub handle: Option<Secret>,
    /// What the adapter must see again at the callback: the secret of that request token.
    pub carry: Option<Secret>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct AuthorizationResponse {
    /// All parameters, none of them twice.
    pub params: Vec<(String, String)>,
    /// As it was in the request.
    pub redirect_uri: String,
    /// As it was in the request.
    pub nonce: Secret,
    /// As it was in the request.
    pub code_verifier: Secret,
    /// What [`AuthorizationStart::carry`] held.
    pub carry: Option<Secret>,
    /// As it was in the request.
    pub client: Option<ProviderClient>,
    /// The moment it is.
    pub now: Timestamp,
}

impl AuthorizationResponse {
    /// The value of a parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut found = self.params.iter().filter(|(given, _)| given == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// Somebody proved to be an account at a provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// Within what the subject is unique: the issuer, with the tenant where there are tenants.
    pub issuer: String,
    /// The account's own id, as the provider wrote it. May be anything: the core judges it.
    pub subject: String,
    /// Who they are, normalised.
    pub profile: Profile,
    /// What the provider said, for `profileMapping` alone; never stored.
    pub raw: serde_json::Value,
    /// What we may do there.
    pub tokens: Option<ProviderTokens>,
    /// The groups the account is in, by the names or ids that the provider gives them: what `roleMapping` compares.
    pub groups: Vec<String>,
    /// What must never be taken again, where the answer itself says who it is (an assertion, a ticket, a nonce).
    pub once: Option<Once>,
    /// What the provider calls the session it opened with this, where it can be told of its end.
    pub session: Option<ProviderSession>,
}

impl Arrival {
    /// Somebody of whom nothing else is known.
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>, profile: Profile) -> Self {
        Self {
            issuer: issuer.into(),
            subject: subject.into(),
            profile,
            raw: serde_json::Value::Null,
            tokens: None,
            groups: Vec::new(),
            once: None,
            session: None,
        }
    }
}

/// A proof that counts once, on all nodes together: the core keeps it until it is worth nothing by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// What makes it the same proof: unique within the issuer, and nothing that its bearer could change without breaking it.
    pub id: String,
    /// From when on the adapter refuses it by itself, with every tolerance for clocks: within a day of the moment it is shown
    /// ([`crate::policy::ONCE`]).
    pub until: Timestamp,
}

/// What a provider sent without having been asked: SAML's IdP-initiated log-in.
#[derive(Clone, Debug)]
pub struct UnsolicitedResponse {
    /// All parameters, none of them twice.
    pub params: Vec<(String, String)>,
    /// The address of the callback it came to.
    pub redirect_uri: String,
    /// The moment it is.
    pub now: Timestamp,
}

/// What an entry tells its provider about itself, to be fetched by the provider's operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Its media type.
    pub content_type: &'static str,
    /// The document.
    pub body: String,
}

/// Why a provider did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It answered, and the answer will not do.
    #[error("{}: {detail}", fault.code())]
    Refused {
        /// What is wrong.
        fault: ProviderFault,
        /// For the operator's log: without tokens, codes or claims.
        detail: String,
    },
    /// It did not answer.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

impl ProviderError {
    /// A refusal with a line for the operator.
    pub fn refused(fault: ProviderFault, detail: impl Into<String>) -> Self {
        Self::Refused {
            fault,
            detail: detail.into(),
        }
    }
}

/// A place where people have accounts. One adapter value per configured entry.
///
/// A provider that is not there, hangs up, is in trouble (5xx, 429) or does not answer in time MUST be
/// [`ProviderError::Unavailable`], and MUST be asked again the next time; any other answer that makes no sense MUST be a refusal.
/// Codes, tokens, secrets, verifiers and claims MUST NOT get into any log or error, even where the provider repeats them.
///
/// Where a request carries a `client`, the adapter MUST act as that client, with its secret and never with the entry's own.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait IdentityProvider: Send + Sync {
    /// Begins an authorization. MUST bind the answer to `state`, `nonce` and `code_verifier` as far as the protocol can: of the
    /// verifier the provider MUST be told the S256 challenge alone. A protocol without a state MUST hand out a handle, each time
    /// another, and what has to be carried.
    async fn begin(&self, request: &AuthorizationRequest) -> Result<AuthorizationStart, ProviderError>;

    /// Judges what came back and fetches who it is. MUST believe nothing that is not bound to this authorization: an answer with
    /// the verifier, nonce, address or carry of another one, of another provider, or with a spent code MUST be refused. One that
    /// lacks a part MUST be refused without asking anybody. Whoever declined MUST be [`ProviderFault::AccessDenied`].
    ///
    /// One account MUST be the same subject every time, within an issuer that no other provider has; one without an id MUST be
    /// [`ProviderFault::SubjectMissing`]. Authorizations that are completed at once MUST NOT be mixed up.
    async fn complete(&self, response: &AuthorizationResponse) -> Result<Arrival, ProviderError>;

    /// Judges an answer that nobody asked for. MUST refuse it with [`ProviderFault::Unsolicited`] unless the entry was configured to
    /// take such, and MUST refuse one that answers a request. What it takes MUST have an [`Arrival::once`].
    async fn unsolicited(&self, _response: &UnsolicitedResponse) -> Result<Arrival, ProviderError> {
        Err(ProviderError::refused(
            ProviderFault::Unsolicited,
            "this provider is asked, it does not send people by itself",
        ))
    }

    /// What the provider's operator is to know of this entry (SAML metadata); none where the protocol has no such document.
    fn descriptor(&self) -> Option<Descriptor> {
        None
    }

    /// Buys a new access token. The answer MUST hold the old refresh token where the provider sends no new one, and the old
    /// scopes where it names none. A grant that is revoked MUST be [`ProviderFault::GrantRevoked`]; one without a refresh token
    /// MUST be [`ProviderFault::NotRefreshable`] without asking anybody, as MUST be every grant of a protocol that has none.
    async fn refresh(
        &self,
        tokens: &ProviderTokens,
        client: Option<ProviderClient>,
        now: Timestamp,
    ) -> Result<ProviderTokens, ProviderError>;
}
