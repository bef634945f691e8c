//! The forms for the phone number.

use domain::error::{Denial, DomainError};
use domain::flow::change_profile::{Field, ProfileChange};
use http::StatusCode;

use super::super::form::Form;
use super::super::session;
use super::super::view::{AccountErrors, AccountView, FieldErrors};
use super::owner::Owner;
use super::{again, change, done, proof, refused, view};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/phone`: another number, or none.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["phone", "current_password"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let wanted = ProfileChange {
        phone: form
            .filled("phone")
            .map_or(Field::Clear, |phone| Field::Set(phone.to_owned())),
        current_password: proof(&form, &owner),
        ..ProfileChange::default()
    };
    let Some(refusal) = change(&owner, &wanted).await? else {
        let had_one = owner.caller.user.phone.is_some();
        return Ok(done(if had_one { "phone" } else { "number" }));
    };
    let page = AccountView {
        problems: AccountErrors {
            phone: refusal.errors,
            ..AccountErrors::default()
        },
        new_phone: form.text("phone").to_owned(),
        ..view(&owner)
    };
    again(&owner, refusal.status, &page)
}

/// `POST /account/phone/send-code`: a code to the unconfirmed number.
pub async fn send_code(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let sent = owner
        .services()
        .send_phone_code(owner.pool(), &owner.caller.user, request.origin());
    match sent.await {
        Ok(_) => Ok(done("sent")),
        Err(DomainError::Denied(denial @ Denial::PhoneRequired)) => {
            let problems = AccountErrors {
                page: FieldErrors::form("There is no number that waits for a code."),
                ..AccountErrors::default()
            };
            refused(&owner, Problem::of_denial(&denial, "").status, problems)
        }
        Err(error) => Err(Problem::of(error, owner.pool())),
    }
}

/// `POST /account/phone/confirm`: the typed code.
pub async fn confirm(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["code"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let code = form.code();
    let confirmed = owner
        .services()
        .confirm_phone(owner.pool(), &owner.caller, &code, request.origin());
    match confirmed.await {
        Ok(_) => Ok(done("confirmed")),
        Err(DomainError::Denied(Denial::TokenRefused)) => {
            let sentence = "That code is wrong, was used before, or is too old.";
            let problems = AccountErrors {
                code: FieldErrors::none().with("code", sentence),
                ..AccountErrors::default()
            };
            refused(&owner, StatusCode::BAD_REQUEST, problems)
        }
        Err(error) => Err(Problem::of(error, owner.pool())),
    }
}
