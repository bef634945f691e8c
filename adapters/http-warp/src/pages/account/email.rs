//! The forms for the e-mail address.

use domain::flow::change_profile::{Field, ProfileChange};

use super::super::form::Form;
use super::super::session;
use super::super::view::{AccountErrors, AccountView};
use super::owner::Owner;
use super::{again, change, done, proof, view};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/email`: another address.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["email", "current_password"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let wanted = ProfileChange {
        email: Field::Set(form.text("email").to_owned()),
        current_password: proof(&form, &owner),
        ..ProfileChange::default()
    };
    let Some(refusal) = change(&owner, &wanted).await? else {
        return Ok(done("email"));
    };
    let page = AccountView {
        problems: AccountErrors {
            email: refusal.errors,
            ..AccountErrors::default()
        },
        new_email: form.text("email").to_owned(),
        ..view(&owner)
    };
    again(&owner, refusal.status, &page)
}

/// `POST /account/verify-email`: a link to the present one.
pub async fn send_link(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let sent = owner
        .services()
        .send_verification(owner.pool(), owner.caller.user.id(), request.origin());
    match sent.await {
        Ok(()) => Ok(done("mailed")),
        Err(error) => Err(Problem::of(error, owner.pool())),
    }
}
