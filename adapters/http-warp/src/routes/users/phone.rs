//! `POST /api/{pool}/{id}/phone/send-code` and `/phone/confirm`: proving one's number, which makes it a second factor.

use http::StatusCode;
use serde_json::json;

use super::Call;
use super::input::Input;
use super::output;
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with the moment the code was sent.
pub async fn send_code(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let (pool, owner) = (call.pool()?, call.owner()?);
    let sent = call
        .services()
        .send_phone_code(pool, &owner.user, call.request.origin())
        .await;
    sent.map_err(|error| Problem::of(error, pool))?;
    let now = call.services().now().as_millis();
    Ok(Reply::json(StatusCode::OK, &json!({ "timestamp": now })))
}

/// 200 with the user, whose number is confirmed now.
pub async fn confirm(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let code = Input::read(&mut call.request).await?.code()?;
    let (pool, owner) = (call.pool()?, call.owner()?);
    let user = call
        .services()
        .confirm_phone(pool, owner, &code, call.request.origin())
        .await;
    let user = user.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &output::user(&user)))
}
