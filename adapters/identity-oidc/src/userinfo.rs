//! What the userinfo endpoint adds (OpenID Connect Core section 5.3).

use domain::ports::{ProviderError, ProviderFault as Fault};
use domain::secret::Secret;
use http::{Request, Response, StatusCode, header};
use serde_json::Value;

use crate::ask::{finish, refuse};
use crate::claims::{Claims, is_same, judge_audience};
use crate::config::UserInfo;
use crate::issuer::Issuers;
use crate::keys::Signed;

/// Claims that only mean something beside the address they come with.
const OF_THE_EMAIL: &[&str] = &["email", "email_verified", "xms_edov"];

/// What came.
pub enum Form {
    /// Plain claims.
    Plain(Claims),
    /// A token that has to be verified.
    Token(String),
}

/// Whether to ask, after what the ID token said.
pub fn is_needed(rule: UserInfo, claims: &Claims) -> bool {
    let names = ["name", "given_name", "preferred_username"];
    match rule {
        UserInfo::Always => true,
        UserInfo::Never => false,
        UserInfo::IfMissing => {
            claims.shown("email").is_none() || names.iter().all(|name| claims.shown(name).is_none())
        }
    }
}

/// The request.
pub fn request(endpoint: &str, token: &Secret) -> Result<Request<Vec<u8>>, ProviderError> {
    let request = Request::get(endpoint)
        .header(header::ACCEPT, "application/json, application/jwt")
        .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
    finish(request.body(Vec::new()))
}

/// Reads the answer.
pub fn read(response: Response<Vec<u8>>) -> Result<Form, ProviderError> {
    if response.status() != StatusCode::OK {
        let detail = format!("userinfo: answered {}", response.status());
        return refuse(Fault::UserInfoInvalid, &detail);
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let form = if kind.eq_ignore_ascii_case("application/jwt") {
        String::from_utf8(response.into_body()).ok().map(Form::Token)
    } else {
        let claims = serde_json::from_slice(response.body()).ok();
        claims.map(|claims| Form::Plain(Claims(claims)))
    };
    form.map_or_else(
        || refuse(Fault::UserInfoInvalid, "userinfo: it cannot be read"),
        Ok,
    )
}

/// The claims of a signed answer, if it is from our issuer and for us, as far as it says (section 5.3.2).
pub fn judge(
    signed: Signed,
    issuers: &Issuers,
    client_id: &str,
    issuer: &str,
) -> Result<Claims, ProviderError> {
    let claims = signed.claims;
    let from = claims.shown("iss");
    if from.is_some_and(|from| from != issuer && !issuers.admits_response(from)) {
        return refuse(Fault::UserInfoInvalid, "userinfo: signed for another issuer");
    }
    if claims.value("aud").is_some() && judge_audience(&claims, client_id).is_err() {
        return refuse(Fault::UserInfoInvalid, "userinfo: signed for another client");
    }
    Ok(claims)
}

/// Both together, if they speak of the same account. What the ID token says stands; an address and whether it is vouched for come
/// from the same side, unless both sides name the same address.
pub fn merge(mut claims: Claims, info: Claims) -> Result<Claims, ProviderError> {
    let sub = |claims: &Claims| claims.shown("sub").map(str::to_owned);
    match (sub(&claims), sub(&info)) {
        (Some(token), Some(info)) if is_same(&token, &info) => {}
        _ => return refuse(Fault::UserInfoSubject, "userinfo speaks of another account"),
    }
    let has_email = claims.value("email").is_some();
    let same_email = claims.value("email") == info.value("email");
    if !has_email && info.value("email").is_some() {
        claims.0.retain(|name, _| !OF_THE_EMAIL.contains(&name.as_str()));
    }
    for (name, value) in info.0 {
        let foreign = has_email && !same_email && OF_THE_EMAIL.contains(&name.as_str());
        if foreign || value == Value::Null || claims.value(&name).is_some() {
            continue;
        }
        claims.0.insert(name, value);
    }
    Ok(claims)
}

#[cfg(test)]
#[path = "../tests/unit/userinfo.rs"]
mod tests;
