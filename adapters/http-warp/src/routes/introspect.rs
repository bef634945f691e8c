//! `POST /oauth/introspect`: a client application asks what a token is worth (RFC 7662).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::error::{Denial, DomainError};
use domain::id::{ApplicationId, RoleName};
use domain::secret::Token;
use domain::service::Introspected;
use domain::user::{Email, Username};
use http::StatusCode;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use serde_json::{Map, Value, json};

use super::Matched;
use super::external::in_headers;
use crate::extract::Request;
use crate::extract::body;
use crate::problem::Problem;
use crate::reply::Reply;

/// Longest token that is looked for, in bytes.
const LONGEST: usize = 4096;

/// 200 with what the token is worth; `{"active":false}` for every text that is no live token. The application proves itself by a key that
/// is a secret: `restApiKey` or `masterKey`.
pub async fn introspect(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = body::read(&mut request).await?.object()?;
    let Some((id, key)) = client_of(&request, &form) else {
        return Ok(unauthorized());
    };
    let services = &request.app.services;
    let found = services
        .prove_application(&ApplicationId::new(id), &Token::presented(key), request.origin())
        .await;
    match found {
        Ok(_) => {}
        Err(DomainError::Denied(Denial::ApplicationRefused)) => return Ok(unauthorized()),
        Err(DomainError::Denied(denial)) => return Err(Problem::of_denial(&denial, "Application")),
        Err(DomainError::Port(error)) => return Err(Problem::of_port(&error)),
    }
    let token = form.get("token").and_then(Value::as_str);
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Err(Problem::bad_request("token is a required argument"));
    };
    if token.len() > LONGEST {
        return Ok(Reply::json(StatusCode::OK, &json!({ "active": false })));
    }
    match services.introspect(&Token::presented(token)).await {
        Ok(Some(found)) => {
            let issuer = &services.policy().public_url;
            Ok(Reply::json(StatusCode::OK, &told(&found, issuer)))
        }
        Ok(None) => Ok(Reply::json(StatusCode::OK, &json!({ "active": false }))),
        Err(DomainError::Denied(denial)) => Err(Problem::of_denial(&denial, "Application")),
        Err(DomainError::Port(error)) => Err(Problem::of_port(&error)),
    }
}

/// Id and key of the application: as `Basic`, in the form (RFC 6749 section 2.3.1), or in our own headers.
fn client_of(request: &Request, form: &Map<String, Value>) -> Option<(String, String)> {
    if request.headers.contains_key(AUTHORIZATION) {
        return basic(request.header(&AUTHORIZATION)?);
    }
    let of_form = |name: &str| form.get(name)?.as_str().map(str::to_owned);
    in_headers(request).or_else(|| Some((of_form("client_id")?, of_form("client_secret")?)))
}

fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, key) = text.split_once(':')?;
    let plain = |part: &str| {
        let decoded = percent_encoding::percent_decode_str(part).decode_utf8().ok()?;
        Some(decoded.into_owned())
    };
    Some((plain(id)?, plain(key)?))
}

/// RFC 6749 section 5.2: whoever does not prove what they are hears how to.
fn unauthorized() -> Reply {
    let body = json!({
        "error": "invalid_client",
        "error_description": "prove the application by its id and its restApiKey or masterKey",
    });
    Reply::json(StatusCode::UNAUTHORIZED, &body).header(WWW_AUTHENTICATE, "Basic realm=\"portcullis\"")
}

fn told(found: &Introspected, issuer: &str) -> Value {
    let (user, session) = (&found.holder.user, &found.holder.session);
    let seconds = |millis: i64| millis.div_euclid(1000);
    let factors: Vec<&str> = session.factors.iter().map(|factor| factor.name()).collect();
    let roles: Vec<&str> = found.roles.iter().map(RoleName::as_str).collect();
    let mut told = json!({
        "active": true,
        "token_type": "Bearer",
        "iss": issuer,
        "sub": user.key.id.as_str(),
        "iat": seconds(session.created.as_millis()),
        "auth_time": seconds(session.proven.as_millis()),
        "amr": factors,
        "pool": user.key.pool.as_str(),
        "roles": roles,
        "email_verified": user.email_verified,
    });
    let username = user.username.as_ref().map(Username::as_str);
    let email = user.email.as_ref().map(Email::as_str);
    let expires = session.life.expires(session.created);
    if let Some(object) = told.as_object_mut() {
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        };
        add("username", username.or(email).map(Value::from));
        add("email", email.map(Value::from));
        // RFC 8693 section 4.1: who acts, where it is not the subject themselves.
        let actor = session.impersonator.as_ref();
        add("act", actor.map(|actor| json!({ "sub": actor.user.id.as_str() })));
        add("exp", expires.map(|at| Value::from(seconds(at.as_millis()))));
    }
    told
}
