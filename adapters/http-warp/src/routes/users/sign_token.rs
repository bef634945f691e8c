//! `POST /api/{pool}/signToken`: an access token that a service checks by itself.

use http::StatusCode;
use serde_json::json;

use super::input::Input;
use super::{Call, output};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;
use crate::routes::api;

/// 200 with the token, in the words of RFC 6749 section 5.1; `audience` names the service. 404 where none are signed.
pub async fn sign_token(mut call: Call) -> Result<Reply, Problem> {
    if call.services().policy().access.signed_tokens.is_none() {
        return api::unknown(call.request, Matched::default()).await;
    }
    output::acceptable(&call.request)?;
    let audience = Input::read(&mut call.request).await?.text("audience")?;
    let pool = call.pool()?;
    let signed = call
        .services()
        .sign_token(call.authenticated()?, audience.as_deref())
        .await
        .map_err(|error| Problem::of(error, pool))?;
    let answer = json!({
        "access_token": signed.token.expose(),
        "token_type": "Bearer",
        "expires_in": signed.life.as_millis() / 1000,
    });
    Ok(Reply::json(StatusCode::OK, &answer))
}
