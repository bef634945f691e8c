use std::fmt;

use domain::identity::ProviderClient;
use domain::secret::Secret;
use url::Url;

use crate::SignatureMethod;

/// How the answer about the person is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuth1Kind {
    /// X, formerly Twitter: `id_str`, and only confirmed addresses.
    Twitter,
    /// Anything else, by the usual names.
    Generic,
}

/// One OAuth 1.0a provider. Made by a constructor; every field may be changed afterwards.
#[derive(Clone)]
pub struct OAuth1Config {
    /// How the profile is read.
    pub kind: OAuth1Kind,
    /// `consumerKey`.
    pub consumer_key: String,
    /// `consumerSecret`.
    pub consumer_secret: Secret,
    /// Where a request token is had (`requestTokenURL`).
    pub request_token_url: String,
    /// Where it becomes an access token (`accessTokenURL`).
    pub access_token_url: String,
    /// Where people are sent (`userAuthorizationURL`).
    pub user_authorization_url: String,
    /// Where it is told who somebody is (`userProfileURL`).
    pub user_profile_url: String,
    /// How requests are signed (`signatureMethod`).
    pub signature_method: SignatureMethod,
    /// Whether X is asked for the address (`includeEmail`). X leaves it out unless the application may see it.
    pub include_email: bool,
    /// Further parameters of the authorization (`authOptions`), in Passport's or the provider's spelling.
    pub authorization_params: Vec<(String, String)>,
    /// `customHeaders`, for every request to the provider.
    pub custom_headers: Vec<(String, String)>,
    /// Within what a subject is unique. None means `https://x.com` for X's hosts, else the origin of
    /// [`OAuth1Config::user_authorization_url`].
    pub issuer: Option<String>,
    /// Whether an address counts as vouched for when the provider says nothing about it.
    pub email_trusted: bool,
    /// Whether no address counts as vouched for, whatever the provider says.
    pub email_distrusted: bool,
}

/// Where a provider without a ready profile is asked.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// `requestTokenURL`.
    pub request_token_url: String,
    /// `accessTokenURL`.
    pub access_token_url: String,
    /// `userAuthorizationURL`.
    pub user_authorization_url: String,
    /// `userProfileURL`.
    pub user_profile_url: String,
}

/// Accounts of X are the same by OAuth 1.0a and 2.0, and under its old name.
const X_HOSTS: [&str; 4] = ["api.x.com", "x.com", "api.twitter.com", "twitter.com"];

impl OAuth1Config {
    /// X. An address it tells is a confirmed one.
    pub fn twitter(client: ProviderClient) -> Self {
        let at = |path: &str| format!("https://api.x.com{path}");
        let endpoints = Endpoints {
            request_token_url: at("/oauth/request_token"),
            access_token_url: at("/oauth/access_token"),
            user_authorization_url: at("/oauth/authenticate"),
            user_profile_url: at("/1.1/account/verify_credentials.json"),
        };
        Self {
            kind: OAuth1Kind::Twitter,
            include_email: true,
            email_trusted: true,
            ..Self::generic(endpoints, client)
        }
    }

    /// Any provider, as `passport-oauth1` asks it.
    pub fn generic(endpoints: Endpoints, client: ProviderClient) -> Self {
        Self {
            kind: OAuth1Kind::Generic,
            consumer_key: client.client_id,
            consumer_secret: client.client_secret.unwrap_or_else(|| Secret::new("")),
            request_token_url: endpoints.request_token_url,
            access_token_url: endpoints.access_token_url,
            user_authorization_url: endpoints.user_authorization_url,
            user_profile_url: endpoints.user_profile_url,
            signature_method: SignatureMethod::HmacSha1,
            include_email: false,
            authorization_params: Vec::new(),
            custom_headers: Vec::new(),
            issuer: None,
            email_trusted: false,
            email_distrusted: false,
        }
    }

    /// Within what subjects are unique. None when nothing is configured and [`OAuth1Config::user_authorization_url`] is no address.
    pub fn effective_issuer(&self) -> Option<String> {
        if let Some(issuer) = &self.issuer {
            return Some(issuer.clone());
        }
        let url = Url::parse(&self.user_authorization_url).ok()?;
        if X_HOSTS.contains(&url.host_str()?) {
            return Some("https://x.com".to_owned());
        }
        Some(url.origin().ascii_serialization())
    }
}

/// Headers may hold secrets: only their names are shown.
impl fmt::Debug for OAuth1Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self
            .custom_headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("OAuth1Config")
            .field("kind", &self.kind)
            .field("consumer_key", &self.consumer_key)
            .field("request_token_url", &self.request_token_url)
            .field("access_token_url", &self.access_token_url)
            .field("user_authorization_url", &self.user_authorization_url)
            .field("user_profile_url", &self.user_profile_url)
            .field("custom_headers", &headers)
            .finish_non_exhaustive()
    }
}
