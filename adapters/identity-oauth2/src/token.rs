//! The token endpoint: many dialects in, one answer out.

use std::future::Future;
use std::pin::Pin;

use domain::ports::{ProviderError, ProviderFault};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response, StatusCode};
use oauth2::AsyncHttpClient;
use outbound_http::Outbound;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::ProfileKind;
use crate::error::{from_outbound, printable};

/// What is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Tokens for a code.
    Code,
    /// An access token for a refresh token.
    Refresh,
}

/// A refusal on its way through the protocol crate.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Judged(#[from] pub ProviderError);

/// Asks the token endpoint, and hands on only what RFC 6749 section 5.1 would say.
pub struct TokenEndpoint<'a> {
    pub outbound: &'a Outbound,
    pub headers: &'a HeaderMap,
    pub kind: ProfileKind,
    pub purpose: Purpose,
}

impl<'c> AsyncHttpClient<'c> for TokenEndpoint<'_> {
    type Error = Judged;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, Judged>> + Send + 'c>>;

    fn call(&'c self, mut request: Request<Vec<u8>>) -> Self::Future {
        for (name, value) in self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        Box::pin(async move {
            let answer = self.outbound.send(request).await;
            let answer = answer.map_err(|error| from_outbound(&error))?;
            let plain = judge(self.kind, self.purpose, &answer)?;
            let mut response = Response::new(plain.to_string().into_bytes());
            let json = http::HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            Ok(response)
        })
    }
}

fn invalid(detail: &'static str) -> ProviderError {
    ProviderError::refused(ProviderFault::TokenResponseInvalid, detail)
}

/// The answer in the standard's own words, or why it is refused.
fn judge(kind: ProfileKind, purpose: Purpose, answer: &Response<Vec<u8>>) -> Result<Value, ProviderError> {
    let status = answer.status();
    judge_status(status)?;
    let fields = match (fields(answer), status) {
        (Some(fields), _) => fields,
        (None, StatusCode::UNAUTHORIZED) => return Err(client_refused("401")),
        (None, _) => {
            return Err(invalid(
                "the token endpoint's answer is neither JSON nor form-encoded",
            ));
        }
    };
    if let Some(error) = refusal(kind, purpose, &fields) {
        return Err(error);
    }
    if status == StatusCode::UNAUTHORIZED {
        return Err(client_refused("401"));
    }
    if !status.is_success() {
        let detail = format!("the token endpoint answered {}", status.as_u16());
        return Err(ProviderError::refused(ProviderFault::TokenRefused, detail));
    }
    standard(kind, &fields)
}

/// What a status alone says, wherever it comes from.
pub fn judge_status(status: StatusCode) -> Result<(), ProviderError> {
    let detail = || format!("the provider answered {}", status.as_u16());
    if status.is_redirection() || status.is_informational() {
        return Err(ProviderError::refused(ProviderFault::ResponseInvalid, detail()));
    }
    let later = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT];
    if status.is_server_error() || later.contains(&status) {
        return Err(ProviderError::Unavailable(detail()));
    }
    Ok(())
}

fn client_refused(name: &str) -> ProviderError {
    let detail = format!("the token endpoint says {}", printable(name));
    ProviderError::refused(ProviderFault::ClientRefused, detail)
}

/// The fields of a JSON object or of a form in which none is doubled.
fn fields(answer: &Response<Vec<u8>>) -> Option<Map<String, Value>> {
    if let Ok(value) = serde_json::from_slice::<Value>(answer.body()) {
        return match value {
            Value::Object(fields) => Some(fields),
            _ => None,
        };
    }
    let media = answer.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    let media = media.split(';').next()?.trim().to_ascii_lowercase();
    if !["application/x-www-form-urlencoded", "text/plain"].contains(&media.as_str()) {
        return None;
    }
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(answer.body()) {
        if fields
            .insert(name.into_owned(), Value::String(value.into_owned()))
            .is_some()
        {
            return None;
        }
    }
    Some(fields)
}

/// What the answer says went wrong: `error`, whatever the status (GitHub says it with 200).
fn refusal(kind: ProfileKind, purpose: Purpose, fields: &Map<String, Value>) -> Option<ProviderError> {
    match fields.get("error")? {
        Value::String(name) if !name.is_empty() => Some(named(kind, purpose, name)),
        Value::Object(error) => Some(graph_refusal(error.get("code").and_then(Value::as_i64))),
        _ => None,
    }
}

fn named(kind: ProfileKind, purpose: Purpose, name: &str) -> ProviderError {
    let detail = format!("the token endpoint says {}", printable(name));
    let fault = match (name, purpose) {
        ("invalid_client" | "unauthorized_client" | "incorrect_client_credentials", _) => {
            ProviderFault::ClientRefused
        }
        ("temporarily_unavailable" | "server_error", _) => return ProviderError::Unavailable(detail),
        ("invalid_grant" | "bad_refresh_token", Purpose::Refresh) => ProviderFault::GrantRevoked,
        // X says this of refresh tokens it does not know; the request itself is always the same.
        ("invalid_request", Purpose::Refresh) if kind == ProfileKind::X => ProviderFault::GrantRevoked,
        _ => ProviderFault::TokenRefused,
    };
    ProviderError::refused(fault, detail)
}

/// Errors of Facebook's Graph, by their number.
fn graph_refusal(code: Option<i64>) -> ProviderError {
    let code = code.unwrap_or_default();
    let detail = format!("the token endpoint says error {code}");
    match code {
        1 | 101 => ProviderError::refused(ProviderFault::ClientRefused, detail),
        _ if graph_is_busy(code) => ProviderError::Unavailable(detail),
        _ => ProviderError::refused(ProviderFault::TokenRefused, detail),
    }
}

/// Whether the Graph is out of order or has had enough of us for now.
pub const fn graph_is_busy(code: i64) -> bool {
    matches!(code, 2 | 4 | 17 | 341)
}

fn standard(kind: ProfileKind, fields: &Map<String, Value>) -> Result<Value, ProviderError> {
    let access = text(fields, "access_token").ok_or_else(|| invalid("there is no access token"))?;
    judge_type(kind, fields)?;
    let expires = fields.get("expires_in").or_else(|| fields.get("expires"));
    // Nothing is written as null, which the protocol crate reads as nothing.
    Ok(json!({
        "access_token": access,
        "token_type": "bearer",
        "refresh_token": text(fields, "refresh_token"),
        "expires_in": lifetime(expires)?,
        "scope": scopes(fields.get("scope")).map(|scopes| scopes.join(" ")),
    }))
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// Only bearer tokens are understood. Old servers leave the type out.
fn judge_type(kind: ProfileKind, fields: &Map<String, Value>) -> Result<(), ProviderError> {
    use ProfileKind::{Facebook, Generic, GitHub};
    match fields.get("token_type") {
        Some(Value::String(name)) if name.eq_ignore_ascii_case("bearer") => Ok(()),
        None | Some(Value::Null) if matches!(kind, Facebook | GitHub | Generic) => Ok(()),
        None | Some(Value::Null) => Err(invalid("there is no token type")),
        Some(_) => Err(invalid("not a bearer token")),
    }
}

/// Seconds, as a number or as text. Zero and nothing mean that the provider does not say: whoever sends zero means "never".
fn lifetime(value: Option<&Value>) -> Result<Option<u64>, ProviderError> {
    let seconds = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(Value::Number(number)) => number.as_u64(),
        Some(_) => None,
    };
    let seconds = seconds.ok_or_else(|| invalid("the lifetime is no number of seconds"))?;
    Ok(Some(seconds).filter(|seconds| *seconds > 0))
}

/// Granted scopes, apart by blanks (RFC 6749 section 3.3) or commas (GitHub, LinkedIn), or as a list.
fn scopes(value: Option<&Value>) -> Option<Vec<String>> {
    let split = |text: &str| -> Vec<String> {
        let words = text.split([' ', ',']).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    match value? {
        Value::String(text) => Some(split(text)),
        Value::Array(items) => {
            let texts = items.iter().filter_map(Value::as_str);
            Some(texts.flat_map(split).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
