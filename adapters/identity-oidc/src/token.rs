//! Spending a code or a refresh token (RFC 6749 sections 4.1.3, 5 and 6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::identity::{ProviderClient, ProviderTokens};
use domain::ports::{ProviderError, ProviderFault as Fault};
use domain::secret::Secret;
use domain::time::{Lifetime, Timestamp};
use http::{Request, Response, header};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::ask::{finish, refuse};
use crate::config::{ClientSecret, TokenAuth};
use crate::discovery::Metadata;
use crate::settled::Settled;
use crate::start::escape;

/// Longest life of an access token that is believed: ten years, in seconds.
const LONGEST_LIFE: u64 = 315_360_000;

/// A usable answer.
#[derive(Debug)]
pub struct Answer {
    /// The tokens.
    pub tokens: ProviderTokens,
    /// The ID token, where there is one.
    pub id_token: Option<Secret>,
}

/// Who asks: the entry's own client, or an application's.
pub fn client_of(
    settled: &Settled,
    given: Option<&ProviderClient>,
    now: i64,
) -> Result<ProviderClient, ProviderError> {
    let config = &settled.config;
    let client_id = given.map_or(&config.client_id, |client| &client.client_id);
    let own = given.and_then(|client| client.client_secret.clone());
    let client_secret = match (own, &config.client_secret, &settled.signer) {
        (Some(secret), _, _) => Some(secret),
        (None, _, Some(signer)) => match signer.sign(client_id, &config.issuer, now) {
            None => {
                return Err(ProviderError::Unavailable(
                    "no client secret could be signed".to_owned(),
                ));
            }
            secret => secret,
        },
        (None, ClientSecret::Fixed(secret), None) if given.is_none() => Some(secret.clone()),
        _ => None,
    };
    Ok(ProviderClient {
        client_id: client_id.clone(),
        client_secret,
    })
}

/// The request, with the client's proof where the provider wants it.
pub fn request(
    metadata: &Metadata,
    auth: TokenAuth,
    client: &ProviderClient,
    params: &[(&str, &str)],
) -> Result<Request<Vec<u8>>, ProviderError> {
    let in_body = match auth {
        TokenAuth::Post => true,
        TokenAuth::Basic => false,
        TokenAuth::Announced => metadata.secret_in_body,
    };
    let mut form = Serializer::new(String::new());
    form.extend_pairs(params);
    let mut request = Request::post(&metadata.token)
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match &client.client_secret {
        Some(secret) if !in_body => {
            request = request.header(header::AUTHORIZATION, basic(&client.client_id, secret));
        }
        Some(secret) => {
            form.append_pair("client_id", &client.client_id);
            form.append_pair("client_secret", secret.expose());
        }
        None => {
            form.append_pair("client_id", &client.client_id);
        }
    }
    finish(request.body(form.finish().into_bytes()))
}

/// RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined. What need not be encoded is not, for the many who
/// never decode it.
fn basic(client_id: &str, secret: &Secret) -> String {
    let joined = format!("{}:{}", escape(client_id), escape(secret.expose()));
    format!("Basic {}", STANDARD.encode(joined))
}

/// What an answer that refuses means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spending {
    /// Whatever it says, the code is of no use.
    Code,
    /// The grant may be over, or our client unknown.
    RefreshToken,
}

/// Reads the answer to a token request.
pub fn read(
    response: &Response<Vec<u8>>,
    spending: Spending,
    type_required: bool,
    now: Timestamp,
) -> Result<Answer, ProviderError> {
    let body: Option<Value> = serde_json::from_slice(response.body()).ok();
    let error = body.as_ref().and_then(|body| body.get("error"));
    if error.is_some() || !response.status().is_success() {
        let error = error.and_then(Value::as_str).unwrap_or_default();
        return Err(refused(error, spending, response));
    }
    let Some(Value::Object(body)) = body else {
        return invalid("it is no JSON object");
    };
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let Some(access_token) = text("access_token").filter(|token| is_visible(token)) else {
        return invalid("no usable access_token");
    };
    let token_type = match text("token_type") {
        Some(kind) if kind.eq_ignore_ascii_case("bearer") => "Bearer",
        None if !type_required && !body.contains_key("token_type") => "Bearer",
        _ => return invalid("token_type is not Bearer"),
    };
    let Ok(life) = life_of(body.get("expires_in")) else {
        return invalid("expires_in is no number of seconds");
    };
    let tokens = ProviderTokens {
        access_token: Secret::new(access_token),
        token_secret: None,
        refresh_token: text("refresh_token").map(Secret::new),
        token_type: token_type.to_owned(),
        expires: life.map(|seconds| now.plus(Lifetime::from_secs(seconds))),
        scopes: scopes_of(body.get("scope")),
    };
    if !tokens.is_bounded() {
        return invalid("a token is too long to keep");
    }
    Ok(Answer {
        tokens,
        id_token: text("id_token").map(Secret::new),
    })
}

fn invalid<T>(detail: &str) -> Result<T, ProviderError> {
    refuse(Fault::TokenResponseInvalid, detail)
}

/// The fault of a refusal. Only error codes of the standard are repeated: anything else may be an echo of what was sent.
fn refused(error: &str, spending: Spending, response: &Response<Vec<u8>>) -> ProviderError {
    const KNOWN: &[&str] = &[
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    ];
    let known = KNOWN.iter().find(|known| **known == error);
    let fault = match (spending, error) {
        (Spending::RefreshToken, "invalid_grant") => Fault::GrantRevoked,
        (Spending::RefreshToken, "invalid_client" | "unauthorized_client") => Fault::ClientRefused,
        (Spending::RefreshToken, "") if response.status() == http::StatusCode::UNAUTHORIZED => {
            Fault::ClientRefused
        }
        _ => Fault::TokenRefused,
    };
    let named = known.copied().unwrap_or("no error we know");
    ProviderError::refused(fault, format!("token endpoint: {} ({named})", response.status()))
}

/// Whether it can be put into a header as it is (RFC 6750 section 2.1).
fn is_visible(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Seconds, also from those who write their numbers as text.
fn life_of(value: Option<&Value>) -> Result<Option<u64>, ()> {
    let seconds = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    };
    seconds.map(|seconds| Some(seconds.min(LONGEST_LIFE))).ok_or(())
}

/// By spaces, as the standard says, or by commas.
fn scopes_of(value: Option<&Value>) -> Option<Vec<String>> {
    let words = value?.as_str()?.split([' ', ',']);
    Some(words.filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
#[path = "../tests/unit/token.rs"]
mod tests;
