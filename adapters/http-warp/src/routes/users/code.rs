//! `POST /api/{pool}/requestCode` and `/loginWithCode`: the two calls of the two-factor article.

use domain::service::CodeLogin;
use http::StatusCode;
use serde_json::json;

use super::Call;
use super::input::{self, Input};
use super::output;
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with the moment the code was sent and the challenge that continues the login.
pub async fn request_code(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let credentials = Input::read(&mut call.request).await?.credentials()?;
    let pool = call.pool()?;
    let requested = call
        .services()
        .request_code(pool, &credentials, call.request.origin())
        .await;
    let requested = requested.map_err(|error| Problem::of(error, pool))?;
    let mut answer = json!({ "timestamp": requested.at.as_millis() });
    if let (Some(challenge), Some(object)) = (&requested.challenge, answer.as_object_mut()) {
        object.insert("challenge".to_owned(), challenge.expose().into());
    }
    Ok(Reply::json(StatusCode::OK, &answer))
}

/// 200 with a token and its user. The article's clients send no challenge; they are known by name and address.
pub async fn login_with_code(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let typed = CodeLogin {
        realm: input.text("realm")?,
        name: input.login_name()?,
        code: input.code()?,
        challenge: input.challenge()?,
    };
    if typed.name.is_none() && typed.challenge.is_none() {
        return Err(input::name_required());
    }
    let pool = call.pool()?;
    let token = call
        .services()
        .login_with_code(pool, typed, call.request.origin())
        .await;
    let token = token.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &output::token(&token, true)))
}
