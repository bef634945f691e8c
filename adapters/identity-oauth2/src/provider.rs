use std::borrow::Cow;
use std::fmt;

use async_trait::async_trait;
use domain::identity::{ProviderClient, ProviderTokens};
use domain::ports::{
    Arrival, AuthorizationRequest, AuthorizationResponse, AuthorizationStart, IdentityProvider,
    ProviderError, ProviderFault,
};
use domain::secret::Secret;
use domain::time::{Lifetime, Timestamp};
use http::HeaderMap;
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, TokenResponse,
    TokenUrl,
};
use outbound_http::{Outbound, custom_headers, is_loopback};
use url::Url;

use crate::error::printable;
use crate::profiles::{self, Asker};
use crate::token::{Judged, Purpose, TokenEndpoint};
use crate::{OAuth2Config, OAuth2ConfigError, TokenEndpointAuth};

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// What the protocol itself says at the authorization endpoint: no option replaces it.
const RESERVED: [&str; 10] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "redirect_uri",
    "request",
    "request_uri",
    "response_type",
    "scope",
    "state",
];

/// Options in Passport's spelling, and the parameter each of its strategies makes of it.
const PASSPORT_OPTIONS: [(&str, &str); 10] = [
    ("accessType", "access_type"),
    ("approvalPrompt", "approval_prompt"),
    ("authNonce", "auth_nonce"),
    ("authType", "auth_type"),
    ("hostedDomain", "hd"),
    ("includeGrantedScopes", "include_granted_scopes"),
    ("loginHint", "login_hint"),
    ("openIDRealm", "openid.realm"),
    ("requestVisibleActions", "request_visible_actions"),
    ("userID", "user_id"),
];

/// One OAuth 2.0 provider, asked as its configuration says.
pub struct OAuth2Provider {
    config: OAuth2Config,
    endpoints: Urls,
    headers: HeaderMap,
    issuer: String,
    outbound: Outbound,
}

struct Urls {
    authorization: AuthUrl,
    token: TokenUrl,
    user_info: Url,
    emails: Option<Url>,
}

impl fmt::Debug for OAuth2Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OAuth2Provider").field(&self.config).finish()
    }
}

impl OAuth2Provider {
    /// A provider of that configuration. Asks nobody yet.
    ///
    /// # Errors
    /// The first thing wrong in the configuration.
    pub fn new(config: OAuth2Config, outbound: Outbound) -> Result<Self, OAuth2ConfigError> {
        if config.client_id.is_empty() {
            return Err(OAuth2ConfigError::ClientId);
        }
        let authorization = secure_url("authorizationURL", &config.authorization_url)?;
        let token = secure_url("tokenURL", &config.token_url)?;
        let emails = config.emails_url.as_deref();
        let endpoints = Urls {
            authorization: AuthUrl::from_url(authorization),
            token: TokenUrl::from_url(token),
            user_info: secure_url("userInfoURL", &config.user_info_url)?,
            emails: emails.map(|url| secure_url("emailsURL", url)).transpose()?,
        };
        let bad_issuer = OAuth2ConfigError::Address { field: "issuer" };
        Ok(Self {
            headers: custom_headers(&config.custom_headers)?,
            issuer: config.effective_issuer().ok_or(bad_issuer)?,
            endpoints,
            config,
            outbound,
        })
    }

    /// The client that asks: the entry's own, or the one that replaces it with id and secret.
    fn acting(&self, replacement: Option<&ProviderClient>) -> ProviderClient {
        replacement.cloned().unwrap_or_else(|| ProviderClient {
            client_id: self.config.client_id.clone(),
            client_secret: self.config.client_secret.clone(),
        })
    }

    fn client(&self, acting: &ProviderClient) -> Client {
        let client = BasicClient::new(ClientId::new(acting.client_id.clone()))
            .set_auth_uri(self.endpoints.authorization.clone())
            .set_token_uri(self.endpoints.token.clone())
            .set_auth_type(match self.config.token_auth {
                TokenEndpointAuth::Basic => AuthType::BasicAuth,
                TokenEndpointAuth::Post => AuthType::RequestBody,
            });
        match &acting.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            None => client,
        }
    }

    fn token_endpoint(&self, purpose: Purpose) -> TokenEndpoint<'_> {
        TokenEndpoint {
            outbound: &self.outbound,
            headers: &self.headers,
            kind: self.config.kind,
            purpose,
        }
    }

    /// Judges the parameters before anything is asked with them; the code if they will do.
    fn admit<'a>(&self, response: &'a AuthorizationResponse) -> Result<&'a str, ProviderError> {
        let foreign = |iss: &&str| *iss != self.issuer;
        if self.config.issuer.is_some() && response.param("iss").as_ref().is_some_and(foreign) {
            let fault = ProviderFault::ResponseIssuer;
            return Err(ProviderError::refused(fault, "iss names another issuer"));
        }
        if let Some(error) = response.param("error").filter(|error| !error.is_empty()) {
            let fault = match error {
                "access_denied" | "user_cancelled_login" | "user_cancelled_authorize" => {
                    ProviderFault::AccessDenied
                }
                _ => ProviderFault::AuthorizationError,
            };
            return Err(ProviderError::refused(fault, printable(error)));
        }
        // Facebook's own pages come back with a number alone.
        if response.param("error_code").is_some() {
            let fault = ProviderFault::AuthorizationError;
            return Err(ProviderError::refused(fault, "an error without a name"));
        }
        let code = response.param("code").filter(|code| !code.is_empty());
        code.ok_or_else(|| ProviderError::refused(ProviderFault::CallbackInvalid, "there is no code"))
    }

    async fn exchange(
        &self,
        response: &AuthorizationResponse,
        acting: &ProviderClient,
        code: &str,
    ) -> Result<ProviderTokens, ProviderError> {
        let client = self.client(acting);
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_redirect_uri(redirect(&response.redirect_uri)?);
        if self.config.pkce {
            request = request.set_pkce_verifier(verifier(&response.code_verifier)?);
        }
        let endpoint = self.token_endpoint(Purpose::Code);
        let answer = request.request_async(&endpoint).await;
        let answer = answer.map_err(unwrap_refusal)?;
        tokens(&answer, response.now)
    }
}

#[async_trait]
impl IdentityProvider for OAuth2Provider {
    async fn begin(&self, request: &AuthorizationRequest) -> Result<AuthorizationStart, ProviderError> {
        let client = self.client(&self.acting(request.client.as_ref()));
        let state = CsrfToken::new(request.state.expose().to_owned());
        let mut asked = client
            .authorize_url(|| state)
            .set_redirect_uri(redirect(&request.redirect_uri)?);
        if !self.config.scopes.is_empty() {
            let scopes = self.config.scopes.join(&self.config.scope_separator);
            asked = asked.add_scope(Scope::new(scopes));
        }
        if self.config.pkce {
            let verifier = verifier(&request.code_verifier)?;
            asked = asked.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        }
        for (name, value) in &self.config.authorization_params {
            let name = parameter(name);
            if !RESERVED.contains(&name) {
                asked = asked.add_extra_param(name, value.as_str());
            }
        }
        let (url, _) = asked.url();
        Ok(AuthorizationStart {
            url: url.into(),
            form: None,
            handle: None,
            carry: None,
        })
    }

    async fn complete(&self, response: &AuthorizationResponse) -> Result<Arrival, ProviderError> {
        let code = self.admit(response)?;
        let acting = self.acting(response.client.as_ref());
        let tokens = self.exchange(response, &acting, code).await?;
        let asker = Asker {
            config: &self.config,
            user_info: &self.endpoints.user_info,
            emails: self.endpoints.emails.as_ref(),
            headers: &self.headers,
            outbound: &self.outbound,
            secret: acting.client_secret.as_ref(),
            tokens: &tokens,
        };
        let person = profiles::ask(&asker).await?;
        let missing = || ProviderError::refused(ProviderFault::SubjectMissing, "the account has no id");
        let subject = person.subject.ok_or_else(missing)?;
        let mut profile = person.profile.bounded();
        if self.config.email_trusted == Some(false) {
            profile = profile.unvouched();
        }
        Ok(Arrival {
            raw: person.raw,
            tokens: Some(tokens),
            ..Arrival::new(&self.issuer, subject, profile)
        })
    }

    async fn refresh(
        &self,
        tokens: &ProviderTokens,
        client: Option<ProviderClient>,
        now: Timestamp,
    ) -> Result<ProviderTokens, ProviderError> {
        let Some(old) = &tokens.refresh_token else {
            let fault = ProviderFault::NotRefreshable;
            return Err(ProviderError::refused(fault, "there is no refresh token"));
        };
        let client = self.client(&self.acting(client.as_ref()));
        let token = RefreshToken::new(old.expose().to_owned());
        let endpoint = self.token_endpoint(Purpose::Refresh);
        let answer = client
            .exchange_refresh_token(&token)
            .request_async(&endpoint)
            .await;
        let fresh = self::tokens(&answer.map_err(unwrap_refusal)?, now)?;
        Ok(ProviderTokens {
            refresh_token: fresh.refresh_token.or_else(|| Some(old.clone())),
            scopes: fresh.scopes.or_else(|| tokens.scopes.clone()),
            ..fresh
        })
    }
}

fn secure_url(field: &'static str, text: &str) -> Result<Url, OAuth2ConfigError> {
    let url = Url::parse(text).ok();
    let secure = |url: &Url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    let bare = |url: &Url| url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    url.filter(|url| secure(url) && bare(url))
        .ok_or(OAuth2ConfigError::Address { field })
}

fn parameter(option: &str) -> &str {
    let known = PASSPORT_OPTIONS.iter().find(|(passport, _)| *passport == option);
    known.map_or(option, |(_, parameter)| parameter)
}

fn redirect(uri: &str) -> Result<Cow<'static, RedirectUrl>, ProviderError> {
    let url = RedirectUrl::new(uri.to_owned());
    url.map(Cow::Owned)
        .map_err(|_| ProviderError::refused(ProviderFault::CallbackInvalid, "our own address is none"))
}

/// The protocol crate panics at verifiers that RFC 7636 section 4.1 does not allow.
fn verifier(secret: &Secret) -> Result<PkceCodeVerifier, ProviderError> {
    let text = secret.expose();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(43..=128).contains(&text.len()) || !text.bytes().all(unreserved) {
        let fault = ProviderFault::CallbackInvalid;
        return Err(ProviderError::refused(fault, "the code verifier is none"));
    }
    Ok(PkceCodeVerifier::new(text.to_owned()))
}

/// What the token endpoint's judge said. The rest cannot come: what it lets through can be read. The answer itself is never told.
fn unwrap_refusal(error: RequestTokenError<Judged, BasicErrorResponse>) -> ProviderError {
    match error {
        RequestTokenError::Request(Judged(refusal)) => refusal,
        _ => ProviderError::refused(ProviderFault::TokenResponseInvalid, "the token answer is none"),
    }
}

fn tokens(answer: &BasicTokenResponse, now: Timestamp) -> Result<ProviderTokens, ProviderError> {
    let life = answer.expires_in();
    let words = |scopes: &Vec<Scope>| -> Vec<String> {
        let words = scopes.iter().map(|scope| scope.to_string());
        words.filter(|scope| !scope.is_empty()).collect()
    };
    let tokens = ProviderTokens {
        access_token: Secret::new(answer.access_token().secret().as_str()),
        token_secret: None,
        refresh_token: answer
            .refresh_token()
            .map(|token| Secret::new(token.secret().as_str())),
        token_type: "Bearer".to_owned(),
        expires: life.map(|life| now.plus(Lifetime::from_secs(life.as_secs()))),
        scopes: answer.scopes().map(words),
    };
    if tokens.is_bounded() {
        Ok(tokens)
    } else {
        let fault = ProviderFault::TokenResponseInvalid;
        Err(ProviderError::refused(fault, "a token is too long to keep"))
    }
}
