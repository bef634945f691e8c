//! One authorization, seen from our side.

use std::time::Duration;

use domain::identity::ProviderTokens;
use domain::ports::{AuthorizationRequest, AuthorizationResponse, ProviderError, ProviderFault};
use domain::secret::Secret;
use domain::time::Timestamp;
use identity_oidc::{ClientSecret, OidcConfig, OidcProvider};
use outbound_http::{Outbound, OutboundConfig};
use serde_json::{Value, json};

use crate::idp::Idp;

pub const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
pub const VERIFIER: &str = "verifier-verifier-verifier-verifier-verifier";

pub fn outbound() -> Outbound {
    let config = OutboundConfig {
        total_timeout: Duration::from_secs(1),
        ..OutboundConfig::default()
    };
    Outbound::new(config).unwrap()
}

pub fn config(idp: &Idp) -> OidcConfig {
    OidcConfig {
        client_secret: ClientSecret::Fixed(Secret::new("web-secret")),
        ..OidcConfig::generic(&idp.issuer, "web")
    }
}

pub fn provider(config: OidcConfig) -> OidcProvider {
    OidcProvider::new(config, outbound()).unwrap()
}

pub fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        redirect_uri: "https://app.example/cb".to_owned(),
        state: Secret::new("state-1"),
        nonce: Secret::new("nonce-1"),
        code_verifier: Secret::new(VERIFIER),
        client: None,
    }
}

pub fn response(params: &[(&str, &str)]) -> AuthorizationResponse {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    AuthorizationResponse {
        params: params.iter().map(owned).collect(),
        redirect_uri: "https://app.example/cb".to_owned(),
        nonce: Secret::new("nonce-1"),
        code_verifier: Secret::new(VERIFIER),
        carry: None,
        client: None,
        now: NOW,
    }
}

/// What a good ID token says.
pub fn claims(idp: &Idp) -> Value {
    let now = NOW.as_millis() / 1000;
    json!({
        "iss": idp.issuer, "sub": "ann", "aud": "web", "exp": now + 300, "iat": now, "nonce": "nonce-1",
    })
}

/// The same with other values; `null` takes a claim away.
pub fn with(claims: &Value, changes: &Value) -> Value {
    let mut claims = claims.as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        claims.insert(name.clone(), value.clone());
    }
    claims.retain(|_, value| !value.is_null());
    Value::Object(claims)
}

pub fn grant(refresh_token: &str) -> ProviderTokens {
    ProviderTokens {
        access_token: Secret::new("at-0"),
        token_secret: None,
        refresh_token: Some(Secret::new(refresh_token)),
        token_type: "Bearer".to_owned(),
        expires: Some(NOW),
        scopes: Some(vec!["openid".to_owned()]),
    }
}

pub fn fault(error: &ProviderError) -> ProviderFault {
    match error {
        ProviderError::Refused { fault, .. } => *fault,
        ProviderError::Unavailable(reason) => panic!("unavailable: {reason}"),
    }
}
