use std::time::Duration;

use domain::secret::Secret;

/// What makes an adapter for one provider and client. Each ready profile has a constructor; change its fields to suit an entry.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// The issuer, byte for byte as the provider writes it. Microsoft: `{authority}/{tenant}/v2.0`.
    pub issuer: String,
    /// Authorization endpoint, in place of the discovered one.
    pub authorization_endpoint: Option<String>,
    /// Token endpoint, in place of the discovered one.
    pub token_endpoint: Option<String>,
    /// Userinfo endpoint, in place of the discovered one.
    pub userinfo_endpoint: Option<String>,
    /// Where the issuer's keys are, in place of the discovered place. With all needed endpoints given nothing is discovered.
    pub jwks_uri: Option<String>,
    /// Our name at the provider.
    pub client_id: String,
    /// How we prove to be that client.
    pub client_secret: ClientSecret,
    /// Where that proof goes.
    pub token_auth: TokenAuth,
    /// What is asked for; `openid` is put first in any case.
    pub scopes: Vec<String>,
    /// Further parameters of the authorization request: `prompt`, `access_type`, `login_hint` … `hd` and `max_age` are also
    /// demanded of the answer, as the request proves nothing.
    pub authorization_params: Vec<(String, String)>,
    /// How the answer comes back.
    pub response_mode: ResponseMode,
    /// Whether the provider takes a code challenge (RFC 7636, S256). Without it the nonce alone binds the code.
    pub pkce: bool,
    /// Whether the ID token must hold the nonce. It is sent in any case, and must be right where it comes back.
    pub nonce: bool,
    /// Whether the token response must say `Bearer` (RFC 6749 section 5.1).
    pub token_type: bool,
    /// Whether the userinfo endpoint is asked.
    pub userinfo: UserInfo,
    /// Which issuers an ID token may come from.
    pub issuer_rule: IssuerRule,
    /// Which claim is the account's id.
    pub subject_rule: SubjectRule,
    /// When the provider vouches for an e-mail address.
    pub email_rule: EmailRule,
    /// How long what the provider publishes is kept.
    pub caching: Caching,
}

/// How we prove to be the client.
#[derive(Clone, Debug)]
pub enum ClientSecret {
    /// A public client.
    None,
    /// A secret text.
    Fixed(Secret),
    /// Apple's: a statement of five minutes, signed for every request.
    Apple {
        /// The developer team.
        team_id: String,
        /// The key's id.
        key_id: String,
        /// The `.p8` file: a P-256 key as PKCS #8 in PEM.
        private_key_pem: Secret,
    },
}

/// Where the client's secret goes in a token request (OpenID Connect Core section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAuth {
    /// `client_secret_basic`, unless discovery names `client_secret_post` and not that.
    Announced,
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

/// How the authorization response comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query.
    Query,
    /// As a form, posted from the provider's site (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// When the userinfo endpoint is asked, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserInfo {
    /// At every login.
    Always,
    /// If the ID token lacks the e-mail address or every name.
    IfMissing,
    /// Never: the ID token says it all.
    Never,
}

/// Which issuers an ID token may come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerRule {
    /// The configured one.
    Exact,
    /// The configured one, or these other names of it. Identities keep the configured name.
    Aliases(Vec<String>),
    /// The tenant the ID token names, as far as the tenant in the configured issuer admits it: `common` everyone,
    /// `organizations` all but personal accounts, `consumers` these alone, an id or a domain that tenant.
    MicrosoftTenant,
}

/// Which claim is the account's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectRule {
    /// `sub`.
    Sub,
    /// `oid`, within the tenant of `tid`: the same for all clients of the tenant, as `sub` is not.
    TidOid,
}

/// When the provider vouches for an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailRule {
    /// If `email_verified` is `true` or `"true"`.
    Claim,
    /// If `xms_edov` is true: Microsoft's sign that the owner of the address's domain was checked. Its `email` is otherwise
    /// whatever an administrator typed.
    DomainOwner,
    /// Always: only for a provider that hands out the addresses itself.
    Always,
    /// Never.
    Never,
}

/// How long what the provider publishes is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caching {
    /// Longest age of the discovery document.
    pub discovery: Duration,
    /// Longest age of the keys.
    pub keys: Duration,
    /// Shortest time between two looks for a key that is not among them.
    pub unknown_key: Duration,
}

impl Default for Caching {
    fn default() -> Self {
        Self {
            discovery: Duration::from_hours(1),
            keys: Duration::from_mins(10),
            unknown_key: Duration::from_secs(30),
        }
    }
}

/// What is wrong with a configuration, in words for the operator; no secret is among them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub(crate) String);

pub(crate) fn wrong<T>(text: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError(text.into()))
}
