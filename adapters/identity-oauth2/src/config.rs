use std::fmt;

use domain::identity::ProviderClient;
use domain::secret::Secret;
use url::Url;

/// Whose dialect is spoken, and how the answer about the person is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileKind {
    /// Graph API: errors as objects, fields by name, `appsecret_proof`.
    Facebook,
    /// Errors with status 200, addresses at their own place.
    GitHub,
    /// Version 2 of the API: everything under `data`.
    X,
    /// The userinfo of before and after OpenID Connect, without an ID token.
    Google,
    /// The userinfo of OpenID Connect, without an ID token.
    LinkedIn,
    /// Anything else, read as widely as `passport-oauth2` users write it.
    Generic,
}

/// How the client proves itself at the token endpoint (RFC 6749 section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenEndpointAuth {
    /// HTTP Basic.
    Basic,
    /// `client_id` and `client_secret` in the body.
    Post,
}

/// One OAuth 2.0 provider. Made by the constructor of a profile; every field may be changed afterwards.
#[derive(Clone)]
pub struct OAuth2Config {
    /// Whose dialect.
    pub kind: ProfileKind,
    /// `clientID`.
    pub client_id: String,
    /// `clientSecret`; none for public clients.
    pub client_secret: Option<Secret>,
    /// Where people are sent (`authorizationURL`).
    pub authorization_url: String,
    /// Where codes become tokens (`tokenURL`).
    pub token_url: String,
    /// Where it is told who somebody is (`userProfileURL`, `profileURL`, `userInfoURL`).
    pub user_info_url: String,
    /// Where the addresses are told, if apart (GitHub).
    pub emails_url: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What stands between scopes (`scopeSeparator`).
    pub scope_separator: String,
    /// Further parameters of the authorization (`authOptions`), in Passport's or the provider's spelling. What the protocol
    /// itself says cannot be replaced.
    pub authorization_params: Vec<(String, String)>,
    /// Whether a code challenge is sent (RFC 7636). Only off where the provider refuses one.
    pub pkce: bool,
    /// How the client proves itself.
    pub token_auth: TokenEndpointAuth,
    /// `profileFields`, in Passport's names. Beside what we need ourselves.
    pub profile_fields: Vec<String>,
    /// `customHeaders`, for every request to the provider.
    pub custom_headers: Vec<(String, String)>,
    /// Whether requests to Facebook's Graph are proven with the secret (`enableProof`).
    pub enable_proof: bool,
    /// Within what a subject is unique. None means the well-known issuer of the host, or the origin of
    /// [`OAuth2Config::authorization_url`]. If given, an answer that names another one is refused (RFC 9207).
    pub issuer: Option<String>,
    /// Whether an address counts as vouched for when the provider says nothing about it; `Some(false)`: none does, whatever it says.
    pub email_trusted: Option<bool>,
}

/// Where a provider without a ready profile is asked.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// `authorizationURL`.
    pub authorization_url: String,
    /// `tokenURL`.
    pub token_url: String,
    /// `userProfileURL`, `profileURL` or `userInfoURL`.
    pub user_info_url: String,
}

/// Issuers that are not the origin of their authorization endpoint, so that an account is the same by whatever protocol.
const ISSUERS: [(&str, &str); 6] = [
    ("twitter.com", "https://x.com"),
    ("api.twitter.com", "https://x.com"),
    ("api.x.com", "https://x.com"),
    ("facebook.com", "https://www.facebook.com"),
    ("www.linkedin.com", "https://www.linkedin.com/oauth"),
    ("linkedin.com", "https://www.linkedin.com/oauth"),
];

impl OAuth2Config {
    /// Facebook. `version` is the Graph's, `v21.0` for example; `scopes` may be empty.
    pub fn facebook(version: &str, client: ProviderClient, scopes: Vec<String>) -> Self {
        let graph = format!("https://graph.facebook.com/{version}");
        let endpoints = Endpoints {
            authorization_url: format!("https://www.facebook.com/{version}/dialog/oauth"),
            token_url: format!("{graph}/oauth/access_token"),
            user_info_url: format!("{graph}/me"),
        };
        Self {
            kind: ProfileKind::Facebook,
            scope_separator: ",".to_owned(),
            enable_proof: true,
            ..Self::generic(endpoints, client, or_else(scopes, &["email"]))
        }
    }

    /// The Graph's version that [`OAuth2Config::facebook`] is best called with.
    pub const FACEBOOK_VERSION: &'static str = "v24.0";

    /// GitHub.com. Enterprise servers have their own addresses in all four fields.
    pub fn github(client: ProviderClient, scopes: Vec<String>) -> Self {
        let endpoints = Endpoints {
            authorization_url: "https://github.com/login/oauth/authorize".to_owned(),
            token_url: "https://github.com/login/oauth/access_token".to_owned(),
            user_info_url: "https://api.github.com/user".to_owned(),
        };
        Self {
            kind: ProfileKind::GitHub,
            scope_separator: ",".to_owned(),
            emails_url: Some("https://api.github.com/user/emails".to_owned()),
            ..Self::generic(endpoints, client, or_else(scopes, &["user:email"]))
        }
    }

    /// X by OAuth 2.0. An address it tells is a confirmed one.
    pub fn x(client: ProviderClient, scopes: Vec<String>) -> Self {
        let endpoints = Endpoints {
            authorization_url: "https://x.com/i/oauth2/authorize".to_owned(),
            token_url: "https://api.x.com/2/oauth2/token".to_owned(),
            user_info_url: "https://api.x.com/2/users/me".to_owned(),
        };
        let usual = ["users.read", "tweet.read", "users.email", "offline.access"];
        Self {
            kind: ProfileKind::X,
            token_auth: TokenEndpointAuth::Basic,
            ..Self::generic(endpoints, client, or_else(scopes, &usual))
        }
    }

    /// Google as `passport-google-oauth` asks it: without an ID token.
    pub fn google_legacy(client: ProviderClient, scopes: Vec<String>) -> Self {
        let endpoints = Endpoints {
            authorization_url: "https://accounts.google.com/o/oauth2/v2/auth".to_owned(),
            token_url: "https://oauth2.googleapis.com/token".to_owned(),
            user_info_url: "https://www.googleapis.com/oauth2/v3/userinfo".to_owned(),
        };
        Self {
            kind: ProfileKind::Google,
            ..Self::generic(endpoints, client, or_else(scopes, &["profile", "email"]))
        }
    }

    /// LinkedIn. It refuses a code verifier by `invalid_client` unless it was switched on for the application by hand.
    pub fn linkedin(client: ProviderClient, scopes: Vec<String>) -> Self {
        let endpoints = Endpoints {
            authorization_url: "https://www.linkedin.com/oauth/v2/authorization".to_owned(),
            token_url: "https://www.linkedin.com/oauth/v2/accessToken".to_owned(),
            user_info_url: "https://api.linkedin.com/v2/userinfo".to_owned(),
        };
        Self {
            kind: ProfileKind::LinkedIn,
            pkce: false,
            ..Self::generic(
                endpoints,
                client,
                or_else(scopes, &["openid", "profile", "email"]),
            )
        }
    }

    /// Any provider, as `passport-oauth2` asks it: the secret in the body, scopes apart by blanks, and a code challenge besides.
    pub fn generic(endpoints: Endpoints, client: ProviderClient, scopes: Vec<String>) -> Self {
        Self {
            kind: ProfileKind::Generic,
            client_id: client.client_id,
            client_secret: client.client_secret,
            authorization_url: endpoints.authorization_url,
            token_url: endpoints.token_url,
            user_info_url: endpoints.user_info_url,
            emails_url: None,
            scopes,
            scope_separator: " ".to_owned(),
            authorization_params: Vec::new(),
            pkce: true,
            token_auth: TokenEndpointAuth::Post,
            profile_fields: Vec::new(),
            custom_headers: Vec::new(),
            enable_proof: false,
            issuer: None,
            email_trusted: None,
        }
    }

    /// Within what subjects are unique: what is configured, or follows from [`OAuth2Config::authorization_url`]. None when that
    /// is no address.
    pub fn effective_issuer(&self) -> Option<String> {
        if let Some(issuer) = &self.issuer {
            return Some(issuer.clone());
        }
        let url = Url::parse(&self.authorization_url).ok()?;
        let host = url.host_str()?;
        let known = ISSUERS.iter().find(|(known, _)| *known == host);
        Some(known.map_or_else(
            || url.origin().ascii_serialization(),
            |(_, issuer)| (*issuer).to_owned(),
        ))
    }
}

fn or_else(scopes: Vec<String>, usual: &[&str]) -> Vec<String> {
    if scopes.is_empty() {
        usual.iter().map(|scope| (*scope).to_owned()).collect()
    } else {
        scopes
    }
}

/// Headers may hold secrets: only their names are shown.
impl fmt::Debug for OAuth2Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self
            .custom_headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("OAuth2Config")
            .field("kind", &self.kind)
            .field("client_id", &self.client_id)
            .field("authorization_url", &self.authorization_url)
            .field("token_url", &self.token_url)
            .field("user_info_url", &self.user_info_url)
            .field("scopes", &self.scopes)
            .field("custom_headers", &headers)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> ProviderClient {
        ProviderClient {
            client_id: "id".to_owned(),
            client_secret: Some(Secret::new("very-secret")),
        }
    }

    fn issuer(config: &OAuth2Config) -> String {
        config.effective_issuer().unwrap()
    }

    #[test]
    fn an_account_has_one_issuer_by_whatever_protocol() {
        let facebook = OAuth2Config::facebook("v24.0", client(), vec![]);
        assert_eq!(issuer(&facebook), "https://www.facebook.com");
        assert_eq!(
            issuer(&OAuth2Config::github(client(), vec![])),
            "https://github.com"
        );
        assert_eq!(issuer(&OAuth2Config::x(client(), vec![])), "https://x.com");
        let google = OAuth2Config::google_legacy(client(), vec![]);
        assert_eq!(issuer(&google), "https://accounts.google.com");
        let linkedin = OAuth2Config::linkedin(client(), vec![]);
        assert_eq!(issuer(&linkedin), "https://www.linkedin.com/oauth");
        let old = OAuth2Config {
            authorization_url: "https://twitter.com/i/oauth2/authorize".to_owned(),
            ..OAuth2Config::x(client(), vec![])
        };
        assert_eq!(issuer(&old), "https://x.com");
    }

    #[test]
    fn another_host_is_another_issuer() {
        let enterprise = OAuth2Config {
            authorization_url: "https://git.example.com:8443/login/oauth/authorize".to_owned(),
            ..OAuth2Config::github(client(), vec![])
        };
        assert_eq!(issuer(&enterprise), "https://git.example.com:8443");
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut config = OAuth2Config::github(client(), vec![]);
        config
            .custom_headers
            .push(("X-Key".to_owned(), "very-secret".to_owned()));
        let shown = format!("{config:?}");
        assert!(!shown.contains("very-secret"), "{shown}");
    }
}
