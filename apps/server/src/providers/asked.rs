//! What is asked of a provider: scopes, parameters, headers.

use super::fields::Fields;
use super::json::Json;
use super::remote::Dialect;

/// What the protocol itself says at the authorization endpoint; a file that could replace it could undo its guards.
const OF_THE_PROTOCOL: &[&str] = &[
    "client_id",
    "clientid",
    "redirect_uri",
    "callbackurl",
    "response_type",
    "responsetype",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "oauth_token",
];

/// Options of Passport itself that stand beside the provider's.
const OF_PASSPORT: &[&str] = &[
    "session",
    "successRedirect",
    "failureRedirect",
    "successFlash",
    "failureFlash",
    "successMessage",
    "failureMessage",
    "successReturnToOrRedirect",
    "assignProperty",
    "keepSessionInfo",
    "authInfo",
    "passReqToCallback",
];

/// Passport's spelling of some parameters, and the providers' own.
const SPELLINGS: &[(&str, &str)] = &[
    ("accessType", "access_type"),
    ("approvalPrompt", "approval_prompt"),
    ("authNonce", "auth_nonce"),
    ("authType", "auth_type"),
    ("domainHint", "domain_hint"),
    ("forceLogin", "force_login"),
    ("hostedDomain", "hd"),
    ("includeGrantedScopes", "include_granted_scopes"),
    ("loginHint", "login_hint"),
    ("openIDRealm", "openid.realm"),
    ("requestVisibleActions", "request_visible_actions"),
    ("screenName", "screen_name"),
];

/// Scopes that providers have ended, by the beginning of their names, and what to write.
const ENDED: &[(&str, &str)] = &[
    ("r_liteprofile", "LinkedIn ended it: write `openid` and `profile`"),
    (
        "r_basicprofile",
        "LinkedIn ended it: write `openid` and `profile`",
    ),
    ("r_emailaddress", "LinkedIn ended it: write `openid` and `email`"),
    (
        "https://www.googleapis.com/auth/plus.",
        "Google ended it with Google+: write `profile` and `email`",
    ),
];

/// Headers that belong to the call itself.
const OF_THE_CALL: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "transfer-encoding",
];

/// `scope`: a list, or a text of several.
pub fn scopes(fields: &mut Fields<'_>, dialect: Dialect) -> Vec<String> {
    if dialect.is_oauth1() {
        // OAuth 1.0a has none; the component's files carry them all the same.
        if fields.any("scope").is_some() {
            fields.warn(
                "scope",
                "does nothing: OAuth 1.0a has no scopes, the provider's own settings say what is granted",
            );
        }
        return Vec::new();
    }
    let comma = dialect.splits_at_commas() || fields.peek_text("scopeSeparator") == Some(",");
    let between = |c: char| c.is_whitespace() || (comma && c == ',');
    let written = fields.texts("scope").unwrap_or_default();
    let parts = written.iter().flat_map(|text| text.split(between));
    let mut scopes: Vec<String> = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        if !scopes.iter().any(|scope| scope == part) {
            scopes.push(part.to_owned());
        }
    }
    for scope in &scopes {
        if let Some((_, why)) = ENDED.iter().find(|(ended, _)| scope.starts_with(ended)) {
            fields.warn("scope", format!("has `{scope}`: {why}"));
        }
    }
    scopes
}

/// `authOptions`: further parameters of the authorization.
pub fn params(fields: &mut Fields<'_>) -> Vec<(String, String)> {
    let mut params = Vec::new();
    for (name, value) in fields.object("authOptions") {
        let key = format!("authOptions.{name}");
        if name == "scope" {
            fields.warn(
                &key,
                "does nothing, as it never did: write `scope` beside `authOptions`",
            );
            continue;
        }
        if OF_PASSPORT.contains(&name.as_str()) {
            fields.warn(&key, "does nothing: it is no parameter of the provider's");
            continue;
        }
        if OF_THE_PROTOCOL.contains(&name.to_ascii_lowercase().as_str()) {
            fields.refuse(
                &key,
                "belongs to the protocol and is made anew for each log-in: take it out",
            );
            continue;
        }
        let known = SPELLINGS.iter().find(|(passport, _)| *passport == name);
        let name = known.map_or(name, |(_, own)| (*own).to_owned());
        match value {
            Json::Text(text) => params.push((name, text)),
            Json::Flag(flag) => params.push((name, flag.to_string())),
            Json::Number(number) => params.push((name, number.to_string())),
            Json::Null => {}
            other => fields.refuse(
                &key,
                format!("must be text, a number, true or false, but is {}", other.kind()),
            ),
        }
    }
    params
}

/// `customHeaders`: further headers of our calls.
pub fn headers(fields: &mut Fields<'_>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, value) in fields.object("customHeaders") {
        let key = format!("customHeaders.{name}");
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(token) {
            fields.refuse(&key, "is no name of a header");
            continue;
        }
        if OF_THE_CALL.contains(&name.to_ascii_lowercase().as_str()) {
            fields.refuse(&key, "belongs to the call itself: take it out");
            continue;
        }
        match value {
            Json::Text(text) if text.chars().all(|c| matches!(c, ' '..='~')) => headers.push((name, text)),
            _ => fields.refuse(&key, "must be text of visible ASCII characters"),
        }
    }
    headers
}
