use async_trait::async_trait;

use crate::identity::{Profile, ProviderClient, ProviderTokens};
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
}

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident = $code:literal),+ $(,)?) => {
        /// What was wrong with what came from a provider. Each has a stable code; none says what was received.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ProviderFault { $($(#[$doc])* $variant),+ }

        impl ProviderFault {
            /// Every fault there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
    };
}

faults! {
    /// The person, or the provider for them, said no (`error=access_denied`, OAuth 1.0a's `denied`).
    AccessDenied = "ACCESS_DENIED",
    /// The provider answered the authorization with another error (RFC 6749 section 4.1.2.1).
    AuthorizationError = "PROVIDER_ERROR",
    /// A parameter is missing, twice there or makes no sense.
    CallbackInvalid = "CALLBACK_INVALID",
    /// The answer comes from another issuer than the one that was asked (RFC 9207).
    ResponseIssuer = "RESPONSE_ISSUER_MISMATCH",
    /// The token endpoint refused the code, the verifier or the client.
    TokenRefused = "TOKEN_REQUEST_REFUSED",
    /// The token endpoint's answer is not one (RFC 6749 section 5.1).
    TokenResponseInvalid = "TOKEN_RESPONSE_INVALID",
    /// The provider sent more than we read, or redirected us.
    ResponseInvalid = "PROVIDER_RESPONSE_INVALID",
    /// Discovery speaks for another issuer, or lacks what is needed.
    DiscoveryInvalid = "DISCOVERY_INVALID",
    /// There is no ID token.
    IdTokenMissing = "ID_TOKEN_MISSING",
    /// The ID token cannot be read.
    IdTokenMalformed = "ID_TOKEN_MALFORMED",
    /// Signed by an algorithm that is not allowed, or not at all.
    IdTokenAlgorithm = "ID_TOKEN_ALGORITHM",
    /// Signed by a key the issuer does not publish.
    IdTokenKey = "ID_TOKEN_KEY_UNKNOWN",
    /// The signature is wrong.
    IdTokenSignature = "ID_TOKEN_SIGNATURE",
    /// From another issuer.
    IdTokenIssuer = "ID_TOKEN_ISSUER",
    /// For somebody else.
    IdTokenAudience = "ID_TOKEN_AUDIENCE",
    /// For several, and not authorized for us (`azp`).
    IdTokenAuthorizedParty = "ID_TOKEN_AUTHORIZED_PARTY",
    /// Expired, or without an end.
    IdTokenExpired = "ID_TOKEN_EXPIRED",
    /// Not valid yet (`nbf`), or issued in the future or too long ago (`iat`).
    IdTokenTime = "ID_TOKEN_TIME",
    /// Not for this authorization (`nonce`).
    IdTokenNonce = "ID_TOKEN_NONCE",
    /// For another access token (`at_hash`).
    IdTokenAccessTokenHash = "ID_TOKEN_ACCESS_TOKEN_HASH",
    /// The userinfo endpoint refused, or its answer is not one.
    UserInfoInvalid = "USERINFO_INVALID",
    /// The userinfo endpoint speaks of somebody else.
    UserInfoSubject = "USERINFO_SUBJECT",
    /// The account has no id.
    SubjectMissing = "SUBJECT_MISSING",
    /// A tenant that may not log in here.
    TenantRefused = "TENANT_REFUSED",
    /// OAuth 1.0a: the request token was refused.
    RequestTokenRefused = "REQUEST_TOKEN_REFUSED",
    /// OAuth 1.0a: the callback was not confirmed (RFC 5849 section 2.1).
    CallbackUnconfirmed = "CALLBACK_UNCONFIRMED",
    /// The grant is revoked or spent (`invalid_grant`).
    GrantRevoked = "GRANT_REVOKED",
    /// The provider does not know our client, or its secret is wrong.
    ClientRefused = "PROVIDER_CLIENT_REFUSED",
    /// There is no way to refresh this grant.
    NotRefreshable = "NOT_REFRESHABLE",
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
