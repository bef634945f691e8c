use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use domain::identity::{ProviderClient, ProviderTokens};
use domain::ports::{
    Arrival, AuthorizationRequest, AuthorizationResponse, AuthorizationStart, IdentityProvider,
    ProviderError, ProviderFault,
};
use domain::secret::Secret;
use domain::time::Timestamp;
use http::{HeaderMap, Method};
use outbound_http::{Outbound, custom_headers, is_loopback};
use serde_json::Value;
use url::Url;

use crate::error::judge_status;
use crate::exchange::{Exchange, Form, from_carry, to_carry};
use crate::signature::{Signer, TokenPair};
use crate::{OAuth1Config, OAuth1ConfigError, OAuth1Kind, profile};

/// Options in Passport's spelling, and the parameter its strategy makes of it.
const PASSPORT_OPTIONS: [(&str, &str); 2] = [("forceLogin", "force_login"), ("screenName", "screen_name")];

/// One OAuth 1.0a provider, asked as its configuration says.
pub struct OAuth1Provider {
    config: OAuth1Config,
    request_token: Url,
    access_token: Url,
    user_authorization: Url,
    user_profile: Url,
    headers: HeaderMap,
    issuer: String,
    outbound: Outbound,
}

/// A consumer's key and secret.
struct Consumer {
    key: String,
    secret: Secret,
}

impl fmt::Debug for OAuth1Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OAuth1Provider").field(&self.config).finish()
    }
}

impl OAuth1Provider {
    /// A provider of that configuration. Asks nobody yet.
    ///
    /// # Errors
    /// The first thing wrong in the configuration.
    pub fn new(config: OAuth1Config, outbound: Outbound) -> Result<Self, OAuth1ConfigError> {
        if config.consumer_key.is_empty() || config.consumer_secret.expose().is_empty() {
            return Err(OAuth1ConfigError::Consumer);
        }
        let bad_issuer = OAuth1ConfigError::Address { field: "issuer" };
        Ok(Self {
            request_token: secure_url("requestTokenURL", &config.request_token_url)?,
            access_token: secure_url("accessTokenURL", &config.access_token_url)?,
            user_authorization: secure_url("userAuthorizationURL", &config.user_authorization_url)?,
            user_profile: profile_url(&config)?,
            headers: custom_headers(&config.custom_headers)?,
            issuer: config.effective_issuer().ok_or(bad_issuer)?,
            config,
            outbound,
        })
    }

    /// Who asks: the entry's own consumer, or the one that replaces it with key and secret.
    fn consumer(&self, replacement: Option<&ProviderClient>) -> Result<Consumer, ProviderError> {
        let Some(client) = replacement else {
            return Ok(Consumer {
                key: self.config.consumer_key.clone(),
                secret: self.config.consumer_secret.clone(),
            });
        };
        let unsigned = || ProviderError::refused(ProviderFault::ClientRefused, "the client has no secret");
        Ok(Consumer {
            key: client.client_id.clone(),
            secret: client.client_secret.clone().ok_or_else(unsigned)?,
        })
    }

    fn signer<'a>(&self, consumer: &'a Consumer, token: Option<&'a TokenPair>) -> Signer<'a> {
        Signer {
            method: self.config.signature_method,
            consumer_key: &consumer.key,
            consumer_secret: &consumer.secret,
            token,
        }
    }

    fn exchange_at(&self, now: Timestamp) -> Exchange<'_> {
        Exchange {
            outbound: &self.outbound,
            headers: &self.headers,
            timestamp: now.as_millis() / 1000,
        }
    }

    /// Temporary credentials for this callback (RFC 5849 section 2.1).
    async fn request_token(&self, request: &AuthorizationRequest) -> Result<TokenPair, ProviderError> {
        let fault = ProviderFault::RequestTokenRefused;
        let consumer = self.consumer(request.client.as_ref())?;
        let signer = self.signer(&consumer, None);
        let own = [("oauth_callback", request.redirect_uri.as_str())];
        let exchange = self.exchange_at(system_now());
        let answer = exchange
            .send(&signer, Method::POST, &self.request_token, &own)
            .await?;
        judge_status(answer.status(), fault)?;
        let form = Form::read(answer.body());
        let form = form.ok_or_else(|| ProviderError::refused(fault, "the answer names something twice"))?;
        let pair = form.pair();
        let pair = pair.ok_or_else(|| ProviderError::refused(fault, "there is no token with a secret"))?;
        let confirmed = form.get("oauth_callback_confirmed");
        if !confirmed.is_some_and(|confirmed| confirmed.eq_ignore_ascii_case("true")) {
            let fault = ProviderFault::CallbackUnconfirmed;
            return Err(ProviderError::refused(
                fault,
                "oauth_callback_confirmed is not true",
            ));
        }
        Ok(pair)
    }

    /// Token credentials, and the account's id if the provider says it here already (RFC 5849 section 2.3).
    async fn access_token(
        &self,
        exchange: &Exchange<'_>,
        signer: &Signer<'_>,
        verifier: &str,
    ) -> Result<(TokenPair, Option<String>), ProviderError> {
        let own = [("oauth_verifier", verifier)];
        let answer = exchange
            .send(signer, Method::POST, &self.access_token, &own)
            .await?;
        judge_status(answer.status(), ProviderFault::TokenRefused)?;
        let form = Form::read(answer.body());
        let read = form.and_then(|form| {
            let account = form.get("user_id").map(str::to_owned);
            form.pair().map(|pair| (pair, account))
        });
        let fault = ProviderFault::TokenResponseInvalid;
        read.ok_or_else(|| ProviderError::refused(fault, "there is no token with a secret"))
    }

    async fn profile(&self, exchange: &Exchange<'_>, signer: &Signer<'_>) -> Result<Value, ProviderError> {
        let fault = ProviderFault::UserInfoInvalid;
        let answer = exchange
            .send(signer, Method::GET, &self.user_profile, &[])
            .await?;
        judge_status(answer.status(), fault)?;
        let value: Option<Value> = serde_json::from_slice(answer.body()).ok();
        let object = value.filter(Value::is_object);
        object.ok_or_else(|| ProviderError::refused(fault, "the profile is no JSON object"))
    }

    /// The account's id, which must be the one that came with the token.
    fn subject(&self, raw: &Value, account: Option<&str>) -> Result<String, ProviderError> {
        let missing = || ProviderError::refused(ProviderFault::SubjectMissing, "the account has no id");
        let subject = profile::subject(self.config.kind, raw).ok_or_else(missing)?;
        let same = account.is_none_or(|account| account == subject);
        if self.config.kind == OAuth1Kind::Twitter && !same {
            let fault = ProviderFault::UserInfoSubject;
            return Err(ProviderError::refused(fault, "the profile is somebody else's"));
        }
        Ok(subject)
    }
}

#[async_trait]
impl IdentityProvider for OAuth1Provider {
    async fn begin(&self, request: &AuthorizationRequest) -> Result<AuthorizationStart, ProviderError> {
        let pair = self.request_token(request).await?;
        let mut url = self.user_authorization.clone();
        let mut query = url.query_pairs_mut();
        query.append_pair("oauth_token", pair.token.expose());
        for (name, value) in &self.config.authorization_params {
            let known = PASSPORT_OPTIONS.iter().find(|(passport, _)| passport == name);
            let name = known.map_or(name.as_str(), |(_, parameter)| parameter);
            if !name.starts_with("oauth_") {
                query.append_pair(name, value);
            }
        }
        drop(query);
        Ok(AuthorizationStart {
            url: url.into(),
            form: None,
            carry: Some(to_carry(&pair)),
            handle: Some(pair.token),
        })
    }

    async fn complete(&self, response: &AuthorizationResponse) -> Result<Arrival, ProviderError> {
        let (carried, verifier) = admit(response)?;
        let consumer = self.consumer(response.client.as_ref())?;
        let exchange = self.exchange_at(response.now);
        let signer = self.signer(&consumer, Some(&carried));
        let (pair, account) = self.access_token(&exchange, &signer, verifier).await?;
        let signer = self.signer(&consumer, Some(&pair));
        let raw = self.profile(&exchange, &signer).await?;
        let subject = self.subject(&raw, account.as_deref())?;
        let mut profile = profile::profile(&self.config, &raw).bounded();
        if self.config.email_distrusted {
            profile = profile.unvouched();
        }
        Ok(Arrival {
            raw,
            tokens: Some(ProviderTokens {
                access_token: pair.token,
                token_secret: Some(pair.secret),
                refresh_token: None,
                token_type: "OAuth".to_owned(),
                expires: None,
                scopes: None,
            }),
            ..Arrival::new(&self.issuer, subject, profile)
        })
    }

    async fn refresh(
        &self,
        _tokens: &ProviderTokens,
        _client: Option<ProviderClient>,
        _now: Timestamp,
    ) -> Result<ProviderTokens, ProviderError> {
        let fault = ProviderFault::NotRefreshable;
        Err(ProviderError::refused(fault, "OAuth 1.0a has nothing to refresh"))
    }
}

/// Judges what came back before anything is asked with it: the request token that was carried, and the verifier.
fn admit(response: &AuthorizationResponse) -> Result<(TokenPair, &str), ProviderError> {
    let refused = |fault, detail: &str| ProviderError::refused(fault, detail);
    if response.param("denied").is_some() {
        return Err(refused(ProviderFault::AccessDenied, "denied"));
    }
    // The extension by which other servers than X say it.
    if let Some(problem) = response.param("oauth_problem") {
        let denied = ["user_refused", "permission_denied"].contains(&problem);
        let fault = if denied {
            ProviderFault::AccessDenied
        } else {
            ProviderFault::AuthorizationError
        };
        return Err(refused(fault, "oauth_problem"));
    }
    let invalid = |detail: &str| refused(ProviderFault::CallbackInvalid, detail);
    let carried = response.carry.as_ref().and_then(from_carry);
    let carried = carried.ok_or_else(|| invalid("no request token was carried"))?;
    let returned = response.param("oauth_token").map(Secret::new);
    if returned.as_ref() != Some(&carried.token) {
        return Err(invalid("another request token came back"));
    }
    let verifier = response.param("oauth_verifier");
    let verifier = verifier.filter(|verifier| !verifier.is_empty());
    verifier
        .map(|verifier| (carried, verifier))
        .ok_or_else(|| invalid("there is no verifier"))
}

fn secure_url(field: &'static str, text: &str) -> Result<Url, OAuth1ConfigError> {
    let url = Url::parse(text).ok();
    let secure = |url: &Url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    let bare = |url: &Url| url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    url.filter(|url| secure(url) && bare(url))
        .ok_or(OAuth1ConfigError::Address { field })
}

/// The profile's address with what X is told about the answer.
fn profile_url(config: &OAuth1Config) -> Result<Url, OAuth1ConfigError> {
    let mut url = secure_url("userProfileURL", &config.user_profile_url)?;
    if config.kind == OAuth1Kind::Twitter {
        let mut query = url.query_pairs_mut();
        query.append_pair("skip_status", "true");
        query.append_pair("include_entities", "false");
        if config.include_email {
            query.append_pair("include_email", "true");
        }
    }
    Ok(url)
}

/// The beginning of an authorization is told no time; a clock before 1970 is refused by the provider.
fn system_now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map(|since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Timestamp::from_millis(millis.unwrap_or_default())
}
