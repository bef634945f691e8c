//! Where people are sent (OpenID Connect Core section 3.1.2.1).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ports::AuthorizationRequest;
use url::form_urlencoded::byte_serialize;

use crate::config::{OidcConfig, ResponseMode, SubjectRule};

/// The address of the provider's page for one authorization.
pub fn address(endpoint: &str, config: &OidcConfig, request: &AuthorizationRequest) -> String {
    let client = request.client.as_ref();
    let client_id = client.map_or(config.client_id.as_str(), |client| client.client_id.as_str());
    let scope = scope_of(config);
    let challenge = challenge_of(request.code_verifier.expose());
    let mut params = vec![
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", &request.redirect_uri),
        ("scope", &scope),
        ("state", request.state.expose()),
        ("nonce", request.nonce.expose()),
    ];
    if config.pkce {
        params.extend([
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]);
    }
    if config.response_mode == ResponseMode::FormPost {
        params.push(("response_mode", "form_post"));
    }
    let further = config.authorization_params.iter();
    params.extend(further.map(|(name, value)| (name.as_str(), value.as_str())));
    let joint = if endpoint.contains('?') { '&' } else { '?' };
    let pairs: Vec<String> = params
        .into_iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect();
    format!("{endpoint}{joint}{}", pairs.join("&"))
}

/// For a query. A space becomes `%20`: Apple takes a `+` for itself. All unreserved characters stay (RFC 3986 section 2.3).
pub fn escape(text: &str) -> String {
    let form: String = byte_serialize(text.as_bytes()).collect();
    form.replace('+', "%20").replace("%7E", "~")
}

/// `openid` first, nothing twice. Microsoft tells `oid` only to those who ask for the profile.
fn scope_of(config: &OidcConfig) -> String {
    let given = config.scopes.iter().flat_map(|scope| scope.split_whitespace());
    let needed = (config.subject_rule == SubjectRule::TidOid).then_some("profile");
    let mut scopes = vec!["openid"];
    for scope in given.chain(needed) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes.join(" ")
}

/// RFC 7636 section 4.2, `S256`.
fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

#[cfg(test)]
#[path = "../tests/unit/start.rs"]
mod tests;
