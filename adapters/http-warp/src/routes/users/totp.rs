//! `POST /api/{pool}/{id}/factors/totp` and its `/confirm`, and `POST /api/{pool}/enrolTotp`: adding an authenticator app.

use domain::secret::Secret;
use http::StatusCode;
use serde_json::json;

use super::Call;
use super::factors;
use super::input::Input;
use super::output;
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with the secret, shown this once, as text and as the address that a picture of it says. Nothing is added yet.
pub async fn begin(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let name = Input::read(&mut call.request).await?.text("name")?;
    let (pool, owner) = (call.pool()?, call.owner()?);
    let begun = call
        .services()
        .begin_totp(pool, owner, name, call.request.origin())
        .await;
    let begun = begun.map_err(|error| Problem::of(error, pool))?;
    let answer = json!({
        "enrolment": begun.enrolment.expose(),
        "secret": begun.secret.expose().expose(),
        "uri": begun.uri.as_ref().map(Secret::expose),
    });
    Ok(Reply::json(StatusCode::OK, &answer))
}

/// 200 as [`begin`], without an enrolment: for who needs a second factor to log in and has none. The challenge of the login goes on, and
/// the app's first code completes it (`loginWithCode`).
pub async fn enrol_at_login(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let (challenge, name) = (input.token("challenge")?, input.text("name")?);
    let pool = call.pool()?;
    let begun = call
        .services()
        .enrol_totp_at_login(pool, &challenge, name, call.request.origin())
        .await;
    let begun = begun.map_err(|error| Problem::of(error, pool))?;
    let answer = json!({
        "secret": begun.secret.expose().expose(),
        "uri": begun.uri.as_ref().map(Secret::expose),
    });
    Ok(Reply::json(StatusCode::OK, &answer))
}

/// 200 with all factors, the app among them: it showed a right code.
pub async fn confirm(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let (enrolment, code) = (input.token("enrolment")?, input.code()?);
    let (pool, owner) = (call.pool()?, call.owner()?);
    let confirmed = call
        .services()
        .confirm_totp(pool, owner, &enrolment, &code, call.request.origin())
        .await;
    let user = confirmed.map_err(|error| Problem::of(error, pool))?;
    factors::answer(&call, owner, &user)
}
