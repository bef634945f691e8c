//! What is to be known of a provider: plain data, without an adapter's types.

use std::fmt;

use domain::secret::Secret;

use super::modules::Scheme;
use super::settings::Settings;

/// Whose dialect of which protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OAuth 2.0, Graph API.
    Facebook,
    /// OAuth 2.0, addresses at their own place.
    GitHub,
    /// OAuth 2.0 of X.
    X,
    /// OAuth 2.0 as Google spoke it before OpenID Connect; for endpoints that the file gives.
    GoogleLegacy,
    /// OAuth 2.0 as LinkedIn speaks it; for endpoints that the file gives.
    LinkedInLegacy,
    /// Any OAuth 2.0.
    OAuth2,
    /// OpenID Connect.
    Google,
    /// OpenID Connect without a nonce.
    LinkedIn,
    /// OpenID Connect with tenants.
    Microsoft,
    /// OpenID Connect with a secret that is signed on the fly.
    Apple,
    /// Any OpenID Connect.
    OpenIdConnect,
    /// OAuth 1.0a of Twitter.
    Twitter,
    /// Any OAuth 1.0a.
    OAuth1,
    /// LDAP, Active Directory too.
    Ldap,
    /// SAML 2.0.
    Saml,
    /// Kerberos: tickets, and passwords that the KDC judges.
    Kerberos,
    /// Any OpenID 2.0.
    OpenId2,
    /// OpenID 2.0 as Steam speaks it.
    Steam,
}

impl Dialect {
    /// The protocol in words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Twitter | Self::OAuth1 => "OAuth 1.0a",
            Self::Google | Self::LinkedIn | Self::Microsoft | Self::Apple | Self::OpenIdConnect => {
                "OpenID Connect"
            }
            Self::Ldap => "LDAP",
            Self::Saml => "SAML 2.0",
            Self::Kerberos => "Kerberos",
            Self::OpenId2 | Self::Steam => "OpenID 2.0",
            _ => "OAuth 2.0",
        }
    }

    /// The family of protocols.
    pub const fn scheme(self) -> Scheme {
        match self {
            Self::Twitter | Self::OAuth1 => Scheme::OAuth1,
            Self::Ldap => Scheme::Ldap,
            Self::Saml => Scheme::Saml,
            Self::Kerberos => Scheme::Kerberos,
            Self::OpenId2 | Self::Steam => Scheme::OpenId2,
            _ => Scheme::OAuth2,
        }
    }

    /// Whether nobody is sent away: the proof comes with the request.
    pub const fn is_direct(self) -> bool {
        matches!(self, Self::Ldap | Self::Kerberos)
    }

    /// What people call the provider; none for dialects of no one in particular.
    pub const fn label(self) -> Option<&'static str> {
        match self {
            Self::Facebook => Some("Facebook"),
            Self::GitHub => Some("GitHub"),
            Self::X => Some("X"),
            Self::Google | Self::GoogleLegacy => Some("Google"),
            Self::LinkedIn | Self::LinkedInLegacy => Some("LinkedIn"),
            Self::Microsoft => Some("Microsoft"),
            Self::Apple => Some("Apple"),
            Self::Twitter => Some("Twitter"),
            Self::Steam => Some("Steam"),
            Self::OAuth2
            | Self::OpenIdConnect
            | Self::OAuth1
            | Self::Ldap
            | Self::Saml
            | Self::Kerberos
            | Self::OpenId2 => None,
        }
    }

    /// OAuth 1.0a.
    pub const fn is_oauth1(self) -> bool {
        matches!(self, Self::Twitter | Self::OAuth1)
    }

    /// OpenID Connect.
    pub const fn is_oidc(self) -> bool {
        matches!(
            self,
            Self::Google | Self::LinkedIn | Self::Microsoft | Self::Apple | Self::OpenIdConnect
        )
    }

    /// Whether clients may be without a secret here.
    pub const fn may_be_public(self) -> bool {
        matches!(
            self,
            Self::X | Self::OAuth2 | Self::OpenIdConnect | Self::Microsoft
        )
    }

    /// Whether scopes in one text stand apart by commas too.
    pub const fn splits_at_commas(self) -> bool {
        matches!(self, Self::Facebook | Self::GitHub)
    }
}

/// Addresses at the provider that the file gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Where people are sent: `authorizationURL`, or `userAuthorizationURL` of OAuth 1.0a.
    pub authorization: Option<String>,
    /// Where codes become tokens: `tokenURL`, or `accessTokenURL` of OAuth 1.0a.
    pub token: Option<String>,
    /// OAuth 1.0a: where it begins.
    pub request_token: Option<String>,
    /// Where it is told who somebody is.
    pub profile: Option<String>,
    /// Where addresses are told, if apart.
    pub emails: Option<String>,
    /// OpenID Connect: where the issuer's keys are.
    pub keys: Option<String>,
}

/// What signs Apple's client secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppleKey {
    /// `teamID`
    pub team_id: String,
    /// `keyID`
    pub key_id: String,
    /// The key, PKCS#8 in PEM.
    pub private_key: Secret,
}

/// One provider as the file describes it. Absent means as the dialect has it.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one field per key of the file")]
pub struct Remote {
    /// Whose dialect.
    pub dialect: Dialect,
    /// `clientID` or `consumerKey`.
    pub client_id: String,
    /// `clientSecret` or `consumerSecret`.
    pub client_secret: Option<Secret>,
    /// What is asked for; empty for what the dialect usually asks.
    pub scopes: Vec<String>,
    /// What stands between them.
    pub scope_separator: Option<String>,
    /// Further parameters of the authorization, as the file spells them.
    pub params: Vec<(String, String)>,
    /// Further headers of our calls.
    pub headers: Vec<(String, String)>,
    /// Addresses.
    pub endpoints: Endpoints,
    /// Who signs, or answers.
    pub issuer: Option<String>,
    /// Microsoft: whose accounts.
    pub tenant: Option<String>,
    /// Apple: what signs.
    pub apple: Option<AppleKey>,
    /// What of the profile is asked for, in Passport's names.
    pub profile_fields: Vec<String>,
    /// Facebook: the version of the Graph.
    pub graph_version: Option<String>,
    /// OAuth 1.0a: sign by HMAC-SHA256 instead of HMAC-SHA1.
    pub sha256: bool,
    /// Twitter: whether the address is asked for.
    pub include_email: Option<bool>,
    /// OpenID Connect: the ID token is enough.
    pub skip_profile: bool,
    /// Whether addresses of this provider are believed.
    pub email_verified: Option<bool>,
    /// LDAP, SAML, Kerberos, OpenID 2.0: everything else the file says, as `settings` lists it.
    pub settings: Settings,
    /// The absolute address people come back to; empty where nobody is sent away.
    pub callback_url: String,
    /// SAML: the absolute address of single logout.
    pub logout_url: Option<String>,
    /// SAML: whether answers are taken that nobody asked for.
    pub unsolicited: bool,
    /// Kerberos: whether passwords are judged as well.
    pub passwords: bool,
}

impl Remote {
    /// One of which nothing is said yet.
    pub fn blank(dialect: Dialect, client_id: String) -> Self {
        Self {
            dialect,
            client_id,
            client_secret: None,
            scopes: Vec::new(),
            scope_separator: None,
            params: Vec::new(),
            headers: Vec::new(),
            endpoints: Endpoints::default(),
            issuer: None,
            tenant: None,
            apple: None,
            profile_fields: Vec::new(),
            graph_version: None,
            sha256: false,
            include_email: None,
            skip_profile: false,
            email_verified: None,
            settings: Settings::default(),
            callback_url: String::new(),
            logout_url: None,
            unsolicited: false,
            passwords: false,
        }
    }
}

/// Headers may hold secrets: they are not shown.
impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("dialect", &self.dialect)
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .field("endpoints", &self.endpoints)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
