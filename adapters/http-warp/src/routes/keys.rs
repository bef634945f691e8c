//! What services check signed tokens by: the public keys, and where they are.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ports::VerifyingKey;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use serde_json::{Value, json};

use super::{INTROSPECT, Matched};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// Where the keys are: the usual place, which RFC 8414 leaves open.
pub const KEYS: &str = "/.well-known/jwks.json";
/// Where their place is told (RFC 8414 section 3).
pub const METADATA: &str = "/.well-known/oauth-authorization-server";

/// How long both may be kept. A service that meets a key it does not know asks again at once, whatever it kept.
const KEPT: &str = "public, max-age=300";

/// 200 with the public keys, the newest first (RFC 7517 section 5); 404 where no tokens are signed.
pub async fn keys(request: Request, _: Matched) -> Result<Reply, Problem> {
    let keys = request.app.services.verifying_keys().await;
    let Some(keys) = keys.map_err(|error| Problem::of_port(&error))? else {
        return Err(nothing(&request));
    };
    let keys: Vec<Value> = keys.iter().map(json_web_key).collect();
    Ok(Reply::json(StatusCode::OK, &json!({ "keys": keys })).header(CACHE_CONTROL, KEPT))
}

/// 200 with what there is of an authorization server: no endpoint of it hands out tokens, logins do.
pub async fn metadata(request: Request, _: Matched) -> Result<Reply, Problem> {
    let policy = request.app.services.policy();
    if policy.access.signed_tokens.is_none() {
        return Err(nothing(&request));
    }
    let site = &policy.public_url;
    let told = json!({
        "issuer": site,
        "jwks_uri": format!("{site}{KEYS}"),
        "introspection_endpoint": format!("{site}{INTROSPECT}"),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "grant_types_supported": [],
        "response_types_supported": [],
    });
    Ok(Reply::json(StatusCode::OK, &told).header(CACHE_CONTROL, KEPT))
}

/// RFC 7518 section 6.2.1.
fn json_web_key(key: &VerifyingKey) -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "alg": "ES256",
        "use": "sig",
        "kid": key.id,
        "x": URL_SAFE_NO_PAD.encode(key.x),
        "y": URL_SAFE_NO_PAD.encode(key.y),
    })
}

fn nothing(request: &Request) -> Problem {
    Problem::not_found(format!("Cannot GET {}", request.path))
}
