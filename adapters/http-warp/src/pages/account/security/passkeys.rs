//! Adding a passkey.

use domain::secret::Token;
use http::StatusCode;

use super::super::super::form::Form;
use super::super::super::view::PasskeyAddView;
use super::super::super::{passkey, session};
use super::super::owner::Owner;
use super::{refuse, settle};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/security/passkeys/begin`: the page whose script asks the authenticator.
pub async fn begin(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["name"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let name = form.filled("name").map(str::to_owned);
    let begun = owner
        .services()
        .begin_passkey(owner.pool(), &owner.caller, name, request.origin());
    match begun.await {
        Ok(asked) => {
            let view = PasskeyAddView {
                csrf: owner.visit.csrf(),
                passkey: passkey::view(&asked),
            };
            let html = request.pages.passkey_add(&view);
            owner.visit.scripted(StatusCode::OK, html)
        }
        Err(error) => refuse(&owner, error).await,
    }
}

/// `POST /account/security/passkeys`: what the authenticator made.
pub async fn add(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["ceremony", "credential"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let (ceremony, answer) = (Token::presented(form.text("ceremony")), passkey::answer(&form));
    let added =
        owner
            .services()
            .finish_passkey(owner.pool(), &owner.caller, &ceremony, &answer, request.origin());
    settle(&owner, added.await, "passkey").await
}
