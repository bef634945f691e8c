//! `POST /api/{pool}/requestCode`, `/resendCode` and `/loginWithCode`: the two calls of the two-factor article, and another code.

use domain::flow::login::CodeRequested;
use domain::service::CodeLogin;
use domain::user::FactorKind;
use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::input::{self, Input};
use super::output;
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with the moment the code was sent and the challenge that continues the login.
pub async fn request_code(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let credentials = input.credentials()?;
    let (method, refresh) = (input.method()?, input.flag("refresh")?);
    let pool = call.pool()?;
    let requested = call
        .services()
        .request_code(pool, &credentials, method, refresh, call.request.origin())
        .await;
    let requested = requested.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &answer(&requested)))
}

/// 200 as [`request_code`] by text message, also where the login waited for another factor. Without a challenge: the one the caller
/// has is good for the new code too.
pub async fn resend_code(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let (challenge, method) = (input.token("challenge")?, input.method()?);
    if method.is_some_and(|method| method != FactorKind::Sms) {
        return Err(Problem::bad_request(
            "only text messages are sent: method must be sms",
        ));
    }
    let pool = call.pool()?;
    let requested = call
        .services()
        .resend_code(pool, &challenge, call.request.origin())
        .await;
    let requested = requested.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &answer(&requested)))
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
        method: input.method()?,
        trust_device: input.flag("trustDevice")?,
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
    Ok(output::opened(&call.request, pool, &token, true))
}

fn answer(requested: &CodeRequested) -> Value {
    let methods = FactorKind::names(&requested.methods);
    let mut answer = json!({ "timestamp": requested.at.as_millis(), "methods": methods });
    if let Some(object) = answer.as_object_mut() {
        if let Some(challenge) = &requested.challenge {
            object.insert("challenge".to_owned(), json!(challenge.expose()));
        }
        if let Some(sent_to) = &requested.sent_to {
            object.insert("sentTo".to_owned(), json!(sent_to));
        }
        if !requested.enrols.is_empty() {
            let enrols = FactorKind::names(&requested.enrols);
            object.insert("enrols".to_owned(), json!(enrols));
        }
    }
    answer
}
