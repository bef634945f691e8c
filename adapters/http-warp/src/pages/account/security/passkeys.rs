//! Adding a passkey.

use domain::secret::Token;
use http::StatusCode;

use super::super::super::form::Form;
use super::super::super::view::PasskeyAddView;
use super::super::super::visit::Visit;
use super::super::super::{passkey, session};
use super::{done, refuse};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/security/passkeys/begin`: the page whose script asks the authenticator.
pub async fn begin(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["name"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let name = form.filled("name").map(str::to_owned);
    let services = &request.app.services;
    match services
        .begin_passkey(visit.pool, &caller, name, request.origin())
        .await
    {
        Ok(asked) => {
            let view = PasskeyAddView {
                csrf: visit.csrf(),
                passkey: passkey::view(&asked),
            };
            visit.scripted(StatusCode::OK, request.app.pages.passkey_add(&view))
        }
        Err(error) => refuse(&visit, &caller, error).await,
    }
}

/// `POST /account/security/passkeys`: what the authenticator made.
pub async fn add(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["ceremony", "credential"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let (ceremony, answer) = (Token::presented(form.text("ceremony")), passkey::answer(&form));
    let services = &request.app.services;
    match services
        .finish_passkey(visit.pool, &caller, &ceremony, &answer, request.origin())
        .await
    {
        Ok(_) => Ok(done("passkey")),
        Err(error) => refuse(&visit, &caller, error).await,
    }
}
