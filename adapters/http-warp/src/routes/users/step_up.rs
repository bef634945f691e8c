//! `POST /api/{pool}/{id}/stepUp`, its `/code` and its `/options`: proving once more that it is you, before something that matters.

use domain::credential::Password;
use domain::secret::Token;
use domain::service::StepUpProof;
use domain::user::FactorKind;
use http::StatusCode;
use serde_json::json;

use super::Call;
use super::input::Input;
use super::output;
use super::passkeys;
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with a new token for the same session; the old one is over.
pub async fn step_up(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let proof = proof(&mut Input::read(&mut call.request).await?)?;
    let (pool, owner) = (call.pool()?, call.owner()?);
    let proven = call
        .services()
        .step_up(pool, owner, proof, call.request.origin())
        .await;
    let token = proven.map_err(|error| Problem::of(error, pool))?;
    Ok(output::opened(&call.request, pool, &token, false))
}

/// 200 with where the code went.
pub async fn send_code(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let (pool, owner) = (call.pool()?, call.owner()?);
    let sent = call
        .services()
        .request_step_up_code(pool, owner, call.request.origin())
        .await;
    let sent_to = sent.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &json!({ "sentTo": sent_to })))
}

/// 200 with what `navigator.credentials.get` is called with.
pub async fn options(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let (pool, owner) = (call.pool()?, call.owner()?);
    let asked = call
        .services()
        .begin_passkey_step_up(pool, owner, call.request.origin())
        .await;
    let asked = asked.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &passkeys::ceremony(&asked)))
}

/// One proof, and only one. A code without a method is one of a text message, as in the two-factor article.
fn proof(input: &mut Input) -> Result<StepUpProof, Problem> {
    let (password, ceremony) = (input.text("password")?, input.text("ceremony")?);
    let (method, code) = (input.method()?, input.code()?);
    match (password, ceremony, !code.expose().is_empty()) {
        (Some(password), None, false) => Ok(StepUpProof::Password(Password::typed(&password))),
        (None, Some(ceremony), false) => Ok(StepUpProof::Passkey {
            ceremony: Token::presented(ceremony),
            answer: input.credential()?,
        }),
        (None, None, true) => Ok(StepUpProof::Code {
            typed: code,
            method: method.unwrap_or(FactorKind::Sms),
        }),
        _ => Err(Problem::bad_request(
            "send either password, or code with its method, or ceremony with its credential",
        )),
    }
}
