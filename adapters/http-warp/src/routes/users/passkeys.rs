//! Passkeys: `POST /api/{pool}/passkey/options` and `/loginWithPasskey` for whoever comes in, `/{id}/factors/passkey/options` and
//! `/{id}/factors/passkey` for who is in.

use domain::service::{PasskeyAsked, PasskeyLogin};
use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::factors;
use super::input::Input;
use super::login::includes_user;
use super::output;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with what `navigator.credentials.get` is called with: for a whole login, or for the second factor of the login that
/// `challenge` continues.
pub async fn options(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let challenge = Input::read(&mut call.request).await?.challenge()?;
    let pool = call.pool()?;
    let asked = call
        .services()
        .begin_passkey_login(pool, challenge.as_ref(), call.request.origin())
        .await;
    let asked = asked.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &ceremony(&asked)))
}

/// 200 with a token.
pub async fn login(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let pool = call.pool()?;
    let login = PasskeyLogin {
        ceremony: input.token("ceremony")?,
        answer: input.credential()?,
        terms: input.terms(pool)?,
        trust_device: input.flag("trustDevice")?,
    };
    let token = call
        .services()
        .login_with_passkey(pool, login, call.request.origin())
        .await;
    let token = token.map_err(|error| Problem::of(error, pool))?;
    let with_user = includes_user(&Query::parse(&call.request.query));
    Ok(output::opened(&call.request, pool, &token, with_user))
}

/// 200 with what `navigator.credentials.create` is called with. Nothing is added yet.
pub async fn creation_options(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let name = Input::read(&mut call.request).await?.text("name")?;
    let (pool, owner) = (call.pool()?, call.owner()?);
    let asked = call
        .services()
        .begin_passkey(pool, owner, name, call.request.origin())
        .await;
    let asked = asked.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &ceremony(&asked)))
}

/// 200 with the passkey, which is added now.
pub async fn add(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let (ceremony, answer) = (input.token("ceremony")?, input.credential()?);
    let (pool, owner) = (call.pool()?, call.owner()?);
    let added = call
        .services()
        .finish_passkey(pool, owner, &ceremony, &answer, call.request.origin())
        .await;
    let added = added.map_err(|error| Problem::of(error, pool))?;
    Ok(Reply::json(StatusCode::OK, &factors::passkey(&added, pool)))
}

/// What an authenticator is asked, as it goes out.
pub fn ceremony(asked: &PasskeyAsked) -> Value {
    json!({ "ceremony": asked.ceremony.expose(), "publicKey": asked.options })
}
