use std::fmt;

use async_trait::async_trait;
use domain::identity::{ProviderClient, ProviderTokens};
use domain::ports::{
    Arrival, AuthorizationRequest, AuthorizationResponse, AuthorizationStart, IdentityProvider,
    ProviderError, ProviderFault as Fault,
};
use domain::secret::Secret;
use domain::time::Timestamp;
use outbound_http::Outbound;
use serde_json::Value;
use std::sync::Arc;

use crate::ask::{fetch, refuse, send};
use crate::cache::Cached;
use crate::claims::{Claims, Expected, judge, subject_of};
use crate::config::{ConfigError, OidcConfig, ResponseMode};
use crate::discovery::{self, Metadata};
use crate::keys::{KeyRing, Signed};
use crate::profile::{add_first_name, groups_of, profile_of};
use crate::settled::Settled;
use crate::start;
use crate::token::{self, Answer, Spending, client_of};
use crate::userinfo::{self, Form};

/// Errors by which providers say that the person declined: the standard's, LinkedIn's and Apple's.
const DECLINED: &[&str] = &[
    "access_denied",
    "user_cancelled_authorize",
    "user_cancelled_login",
];

/// Plays `IdentityProvider` by OpenID Connect's code flow.
pub struct OidcProvider {
    settled: Settled,
    outbound: Outbound,
    metadata: Cached<Metadata>,
    keys: KeyRing,
}

impl fmt::Debug for OidcProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OidcProvider({})", self.settled.config.issuer)
    }
}

impl OidcProvider {
    /// Judges the configuration; asks nobody yet.
    pub fn new(config: OidcConfig, outbound: Outbound) -> Result<Self, ConfigError> {
        let keys = KeyRing::new(outbound.clone(), config.caching);
        Ok(Self {
            settled: Settled::new(config)?,
            outbound,
            metadata: Cached::new(),
            keys,
        })
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        let Settled { config, issuers, .. } = &self.settled;
        if let Some(metadata) = discovery::configured(config) {
            return Ok(Arc::new(metadata));
        }
        let address = discovery::address(&config.issuer);
        let discover = || async move {
            let document = fetch(&self.outbound, &address, "discovery").await?;
            discovery::read(&document, config, issuers)
        };
        self.metadata.get(config.caching.discovery, discover).await
    }

    async fn spend(
        &self,
        metadata: &Metadata,
        client: &ProviderClient,
        params: &[(&str, &str)],
        spending: Spending,
        now: Timestamp,
    ) -> Result<Answer, ProviderError> {
        let config = &self.settled.config;
        let request = token::request(metadata, config.token_auth, client, params)?;
        let response = send(&self.outbound, request, "token endpoint").await?;
        token::read(&response, spending, config.token_type, now)
    }

    /// The ID token's claims once every check is passed, and the issuer.
    async fn verify(
        &self,
        id_token: &Secret,
        metadata: &Metadata,
        client_id: &str,
        response: &AuthorizationResponse,
    ) -> Result<(Signed, String), ProviderError> {
        let settled = &self.settled;
        let signed = self.keys.verify(id_token.expose(), &metadata.jwks).await?;
        let expected = Expected {
            issuers: &settled.issuers,
            tenant: metadata.tenant.as_deref(),
            client_id,
            nonce: response.nonce.expose(),
            nonce_required: settled.config.nonce,
            hosted_domain: settled.hosted_domain.as_deref(),
            max_age: settled.max_age,
            now: seconds(response.now),
        };
        let issuer = judge(&signed.claims, &expected)?;
        if !settled.issuers.admits_both(response.param("iss"), &issuer) {
            return refuse(Fault::ResponseIssuer, "the response named another tenant");
        }
        Ok((signed, issuer))
    }

    /// The claims with what the userinfo endpoint adds.
    async fn inform(
        &self,
        claims: Claims,
        metadata: &Metadata,
        (client_id, issuer): (&str, &str),
        access_token: &Secret,
    ) -> Result<Claims, ProviderError> {
        let needed = userinfo::is_needed(self.settled.config.userinfo, &claims);
        let Some(endpoint) = metadata.userinfo.as_deref().filter(|_| needed) else {
            return Ok(claims);
        };
        let request = userinfo::request(endpoint, access_token)?;
        let response = send(&self.outbound, request, "userinfo").await?;
        let info = match userinfo::read(response)? {
            Form::Plain(info) => info,
            Form::Token(token) => {
                let signed = self
                    .keys
                    .verify(&token, &metadata.jwks)
                    .await
                    .map_err(as_userinfo)?;
                userinfo::judge(signed, &self.settled.issuers, client_id, issuer)?
            }
        };
        userinfo::merge(claims, info)
    }
}

/// The code of a response that names its issuer where it has to.
fn code_of<'a>(response: &'a AuthorizationResponse, metadata: &Metadata) -> Result<&'a str, ProviderError> {
    if metadata.names_itself && response.param("iss").is_none() {
        return refuse(Fault::ResponseIssuer, "the response does not name its issuer");
    }
    match response.param("code") {
        Some(code) if !code.is_empty() => Ok(code),
        _ => refuse(Fault::CallbackInvalid, "no code"),
    }
}

/// A token that came from the userinfo endpoint is no ID token: its faults are that endpoint's.
fn as_userinfo(error: ProviderError) -> ProviderError {
    match error {
        ProviderError::Refused { detail, .. } => {
            ProviderError::refused(Fault::UserInfoInvalid, format!("userinfo: {detail}"))
        }
        outage @ ProviderError::Unavailable(_) => outage,
    }
}

const fn seconds(moment: Timestamp) -> i64 {
    moment.as_millis().div_euclid(1000)
}

#[async_trait]
impl IdentityProvider for OidcProvider {
    async fn begin(&self, request: &AuthorizationRequest) -> Result<AuthorizationStart, ProviderError> {
        let metadata = self.metadata().await?;
        Ok(AuthorizationStart {
            url: start::address(&metadata.authorization, &self.settled.config, request),
            form: None,
            handle: None,
            carry: None,
        })
    }

    async fn complete(&self, response: &AuthorizationResponse) -> Result<Arrival, ProviderError> {
        let Settled { config, issuers, .. } = &self.settled;
        if response
            .param("iss")
            .is_some_and(|issuer| !issuers.admits_response(issuer))
        {
            return refuse(Fault::ResponseIssuer, "the response comes from another issuer");
        }
        match response.param("error") {
            Some(error) if DECLINED.contains(&error) => return refuse(Fault::AccessDenied, "declined"),
            Some(_) => return refuse(Fault::AuthorizationError, "the provider answered with an error"),
            None => {}
        }
        let metadata = self.metadata().await?;
        let code = code_of(response, &metadata)?;
        let client = client_of(&self.settled, response.client.as_ref(), seconds(response.now))?;
        let mut params = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", response.redirect_uri.as_str()),
        ];
        if config.pkce {
            params.push(("code_verifier", response.code_verifier.expose()));
        }
        let spent = self.spend(&metadata, &client, &params, Spending::Code, response.now);
        let Answer { tokens, id_token } = spent.await?;
        let Some(id_token) = id_token else {
            return refuse(Fault::IdTokenMissing, "no id_token");
        };
        let verified = self.verify(&id_token, &metadata, &client.client_id, response);
        let (signed, issuer) = verified.await?;
        signed.judge_access_token(tokens.access_token.expose())?;
        let subject = subject_of(&signed.claims, config.subject_rule)?.to_owned();
        let ours = (client.client_id.as_str(), issuer.as_str());
        let informed = self.inform(signed.claims, &metadata, ours, &tokens.access_token);
        let mut claims = informed.await?;
        if let (ResponseMode::FormPost, Some(user)) = (config.response_mode, response.param("user")) {
            add_first_name(&mut claims, user);
        }
        let profile = profile_of(&claims, config.email_rule);
        Ok(Arrival {
            groups: groups_of(&claims),
            raw: Value::Object(claims.0),
            tokens: Some(tokens),
            ..Arrival::new(issuer, subject, profile)
        })
    }

    async fn refresh(
        &self,
        tokens: &ProviderTokens,
        client: Option<ProviderClient>,
        now: Timestamp,
    ) -> Result<ProviderTokens, ProviderError> {
        let Some(refresh_token) = &tokens.refresh_token else {
            return refuse(Fault::NotRefreshable, "no refresh token");
        };
        let metadata = self.metadata().await?;
        let client = client_of(&self.settled, client.as_ref(), seconds(now))?;
        let params = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
        ];
        let spent = self.spend(&metadata, &client, &params, Spending::RefreshToken, now);
        // A new ID token is left aside: who it is about was settled when the grant was given.
        let new = spent.await?.tokens;
        Ok(ProviderTokens {
            refresh_token: new.refresh_token.or_else(|| tokens.refresh_token.clone()),
            scopes: new.scopes.or_else(|| tokens.scopes.clone()),
            ..new
        })
    }
}
