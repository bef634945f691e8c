//! Which npm module is which provider. Only the name is read; no module is ever loaded.

use super::remote::Dialect;

/// What a module, or an authentication scheme, amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Name and password of our own users.
    Local,
    /// A provider.
    Remote(Dialect),
}

/// A module we know.
pub struct Module {
    /// Its name at npm.
    pub name: &'static str,
    /// Exports of it that mean this; empty for any.
    pub strategies: &'static [&'static str],
    /// What it is.
    pub kind: Kind,
}

const fn remote(name: &'static str, dialect: Dialect) -> Module {
    Module {
        name,
        strategies: &[],
        kind: Kind::Remote(dialect),
    }
}

/// Every module that works. The first of several rows of one name that fits is taken.
pub const MODULES: &[Module] = &[
    Module {
        name: "passport-local",
        strategies: &[],
        kind: Kind::Local,
    },
    remote("passport-facebook", Dialect::Facebook),
    Module {
        name: "passport-google-oauth",
        strategies: &["OAuth2Strategy"],
        kind: Kind::Remote(Dialect::Google),
    },
    remote("passport-google-oauth20", Dialect::Google),
    remote("passport-google-oauth2", Dialect::Google),
    remote("passport-google-oidc", Dialect::Google),
    remote("passport-github", Dialect::GitHub),
    remote("passport-github2", Dialect::GitHub),
    remote("passport-twitter", Dialect::Twitter),
    remote("passport-twitter-oauth2", Dialect::X),
    remote("@superfaceai/passport-twitter-oauth2", Dialect::X),
    remote("passport-x-oauth2", Dialect::X),
    remote("passport-linkedin-oauth2", Dialect::LinkedIn),
    remote("passport-linkedin-openid", Dialect::LinkedIn),
    Module {
        name: "passport-azure-ad",
        strategies: &["OIDCStrategy", "Strategy"],
        kind: Kind::Remote(Dialect::Microsoft),
    },
    remote("passport-azure-ad-oauth2", Dialect::Microsoft),
    remote("passport-microsoft", Dialect::Microsoft),
    remote("passport-apple", Dialect::Apple),
    remote("passport-oauth2", Dialect::OAuth2),
    Module {
        name: "passport-oauth",
        strategies: &["OAuth2Strategy"],
        kind: Kind::Remote(Dialect::OAuth2),
    },
    remote("passport-oauth", Dialect::OAuth1),
    remote("passport-oauth1", Dialect::OAuth1),
    remote("passport-openidconnect", Dialect::OpenIdConnect),
    remote("passport-ldapauth", Dialect::Ldap),
    remote("passport-saml", Dialect::Saml),
    remote("@node-saml/passport-saml", Dialect::Saml),
    remote("passport-kerberos", Dialect::Kerberos),
    remote("passport-negotiate", Dialect::Kerberos),
    remote("passport-openid", Dialect::OpenId2),
    remote("passport-steam", Dialect::Steam),
];

/// Modules, or exports of them, that are refused, and why: name, export (empty for any), sentence.
pub const DEAD: &[(&str, &str, &str)] = &[
    (
        "passport-google-oauth",
        "",
        "its export `Strategy` speaks OAuth 1.0a, which Google ended in 2015: write `\"strategy\": \"OAuth2Strategy\"`",
    ),
    (
        "passport-google-oauth1",
        "",
        "Google ended OAuth 1.0a in 2015: write `passport-google-oauth20`",
    ),
    (
        "passport-google",
        "",
        "Google ended OpenID 2.0 in 2015: write `passport-google-oauth20`",
    ),
    (
        "passport-linkedin",
        "",
        "LinkedIn ended OAuth 1.0a: write `passport-linkedin-oauth2`",
    ),
    (
        "passport-azure-ad",
        "",
        "its export `BearerStrategy` judges tokens of an API and logs nobody in: write `\"strategy\": \"OIDCStrategy\"`",
    ),
    (
        "passport-google-openid",
        "",
        "Google ended OpenID 2.0 in 2015: write `passport-google-oauth20`",
    ),
    (
        "passport-yahoo",
        "",
        "Yahoo ended OpenID 2.0: write `passport-openidconnect` with Yahoo's `issuer`",
    ),
    (
        "passport-ldap",
        "",
        "its keys are its own: write `passport-ldapauth`, with `server`",
    ),
    (
        "passport-activedirectory",
        "",
        "its keys are its own: write `passport-ldapauth`, with `server`; it speaks with Active Directory as well",
    ),
    (
        "passport-wsfed-saml2",
        "",
        "it speaks WS-Federation: write `passport-saml`, and switch the provider to SAML 2.0",
    ),
    (
        "passport-facebook-token",
        "",
        "a token handed in by a client may have been given to another application: write `passport-facebook`",
    ),
];

/// The family an `authScheme` names. The component took every other word for OAuth 2.0; a slip of the pen is no protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `local`
    Local,
    /// OAuth 2.0 and OpenID Connect.
    OAuth2,
    /// OAuth 1.0a.
    OAuth1,
    /// LDAP.
    Ldap,
    /// SAML 2.0.
    Saml,
    /// Kerberos.
    Kerberos,
    /// OpenID 2.0.
    OpenId2,
}

impl Scheme {
    /// Reads an `authScheme` as the component compares it: without case. `None` for a word nobody knows.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "local" => Some(Self::Local),
            "oauth" | "oauth1" | "oauth 1.0" | "oauth 1.0a" | "oauth1.0" | "oauth 1" => Some(Self::OAuth1),
            "oauth2" | "oauth 2.0" | "oauth 2" | "oauth2.0" | "openid connect" | "openidconnect" | "oidc" => {
                Some(Self::OAuth2)
            }
            "ldap" => Some(Self::Ldap),
            "saml" | "saml2" | "saml 2.0" => Some(Self::Saml),
            "kerberos" | "negotiate" | "spnego" => Some(Self::Kerberos),
            "openid" | "openid2" | "openid 2.0" => Some(Self::OpenId2),
            _ => None,
        }
    }

    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::OAuth2 => "OAuth 2.0",
            Self::OAuth1 => "OAuth 1.0a",
            Self::Ldap => "LDAP",
            Self::Saml => "SAML 2.0",
            Self::Kerberos => "Kerberos",
            Self::OpenId2 => "OpenID 2.0",
        }
    }
}

impl Kind {
    /// The family of protocols it speaks.
    pub fn scheme(self) -> Scheme {
        match self {
            Self::Local => Scheme::Local,
            Self::Remote(dialect) => dialect.scheme(),
        }
    }

    /// In words, with an article.
    pub fn title(self) -> String {
        match self {
            Self::Local => "a local entry".to_owned(),
            Self::Remote(dialect) => format!("an entry for {}", dialect.label().unwrap_or(dialect.title())),
        }
    }
}
