//! What the provider publishes about itself (OpenID Connect Discovery section 3).

use domain::ports::{ProviderError, ProviderFault as Fault};
use outbound_http::is_loopback;
use serde_json::Value;
use url::Url;

use crate::ask::refuse;
use crate::config::{OidcConfig, UserInfo};
use crate::issuer::Issuers;

/// Where to ask, and what to expect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Where people are sent.
    pub authorization: String,
    /// Where codes and refresh tokens are spent.
    pub token: String,
    /// Who somebody is, if the provider tells.
    pub userinfo: Option<String>,
    /// Where the keys are.
    pub jwks: String,
    /// Whether every authorization response names its issuer (RFC 9207 section 3).
    pub names_itself: bool,
    /// The tenant, where discovery is for one.
    pub tenant: Option<String>,
    /// Whether the token endpoint takes the secret in the body and nowhere else.
    pub secret_in_body: bool,
}

/// The configuration's own, where it leaves nothing to discover.
pub fn configured(config: &OidcConfig) -> Option<Metadata> {
    if config.userinfo_endpoint.is_none() && config.userinfo != UserInfo::Never {
        return None;
    }
    Some(Metadata {
        authorization: config.authorization_endpoint.clone()?,
        token: config.token_endpoint.clone()?,
        userinfo: config.userinfo_endpoint.clone(),
        jwks: config.jwks_uri.clone()?,
        ..Metadata::default()
    })
}

/// Where the document is. An issuer may end in a slash, the address has one.
pub fn address(issuer: &str) -> String {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    format!("{base}/.well-known/openid-configuration")
}

/// Reads and judges a document; what is configured goes before what it says.
pub fn read(document: &Value, config: &OidcConfig, issuers: &Issuers) -> Result<Metadata, ProviderError> {
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    let Some(issuer) = text("issuer") else {
        return refuse(Fault::DiscoveryInvalid, "no issuer");
    };
    let tenant = issuers.judge_document(issuer)?;
    let plain = is_plain(&config.issuer);
    let endpoint = |given: Option<&String>, name: &str| match (given, text(name)) {
        (Some(given), _) => Ok(Some(given.clone())),
        (None, Some(found)) if is_endpoint(found, plain) => Ok(Some(found.to_owned())),
        (None, Some(_)) => refuse(Fault::DiscoveryInvalid, &format!("{name} is no https address")),
        (None, None) => Ok(None),
    };
    let needed = |given: Option<&String>, name: &str| match endpoint(given, name)? {
        Some(found) => Ok(found),
        None => refuse(Fault::DiscoveryInvalid, &format!("no {name}")),
    };
    Ok(Metadata {
        authorization: needed(config.authorization_endpoint.as_ref(), "authorization_endpoint")?,
        token: needed(config.token_endpoint.as_ref(), "token_endpoint")?,
        userinfo: endpoint(config.userinfo_endpoint.as_ref(), "userinfo_endpoint")?,
        jwks: needed(config.jwks_uri.as_ref(), "jwks_uri")?,
        names_itself: document.get("authorization_response_iss_parameter_supported")
            == Some(&Value::Bool(true)),
        tenant,
        secret_in_body: takes_the_body_alone(document),
    })
}

fn takes_the_body_alone(document: &Value) -> bool {
    let methods = document.get("token_endpoint_auth_methods_supported");
    let Some(methods) = methods.and_then(Value::as_array) else {
        return false;
    };
    let takes = |method: &str| methods.iter().any(|one| one == method);
    takes("client_secret_post") && !takes("client_secret_basic")
}

fn is_plain(issuer: &str) -> bool {
    issuer.starts_with("http://")
}

/// Whether it is an address to send secrets to: https, or plain on this machine where `plain` allows it; without a user or a
/// fragment.
pub fn is_endpoint(address: &str, plain: bool) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let safe = match url.scheme() {
        "https" => true,
        "http" => plain && is_loopback(&url),
        _ => false,
    };
    // Parsing drops line breaks, which the text itself would bring into a header.
    let clean = address.bytes().all(|byte| byte.is_ascii_graphic());
    safe && bare && clean && url.host().is_some()
}

#[cfg(test)]
#[path = "../tests/unit/discovery.rs"]
mod tests;
