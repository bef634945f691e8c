//! The forms for the phone number.

use domain::error::{Denial, DomainError};
use domain::flow::change_profile::{Field, ProfileChange};
use http::StatusCode;

use super::super::form::Form;
use super::super::session;
use super::super::view::{AccountErrors, AccountView, FieldErrors};
use super::super::visit::Visit;
use super::{done, proof, refusal, view};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/phone`: another number, or none.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["phone", "current_password"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let change = ProfileChange {
        phone: form
            .filled("phone")
            .map_or(Field::Clear, |phone| Field::Set(phone.to_owned())),
        current_password: proof(&form, &caller),
        ..ProfileChange::default()
    };
    match request
        .app
        .services
        .change_profile(visit.pool, &caller, &change, request.origin())
        .await
    {
        Ok(_) => Ok(done("phone")),
        Err(error) => {
            let refusal = refusal(error, &visit, &caller)?;
            let problems = AccountErrors {
                phone: refusal.errors,
                ..AccountErrors::default()
            };
            let view = AccountView {
                problems,
                new_phone: form.text("phone").to_owned(),
                ..view(&visit, &caller)
            };
            visit.page(refusal.status, request.app.pages.account(&view))
        }
    }
}

/// `POST /account/phone/send-code`: a code to the unconfirmed number.
pub async fn send_code(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    match request
        .app
        .services
        .send_phone_code(visit.pool, &caller.user, request.origin())
        .await
    {
        Ok(_) => Ok(done("sent")),
        Err(DomainError::Denied(denial @ Denial::PhoneRequired)) => {
            let sentence = "There is no number that waits for a code.";
            let problems = AccountErrors {
                page: FieldErrors::form(sentence),
                ..AccountErrors::default()
            };
            let view = AccountView {
                problems,
                ..view(&visit, &caller)
            };
            visit.page(
                Problem::of_denial(&denial, "").status,
                request.app.pages.account(&view),
            )
        }
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

/// `POST /account/phone/confirm`: the typed code.
pub async fn confirm(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["code"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    match request
        .app
        .services
        .confirm_phone(visit.pool, &caller, &form.code(), request.origin())
        .await
    {
        Ok(_) => Ok(done("confirmed")),
        Err(DomainError::Denied(Denial::TokenRefused)) => {
            let code =
                FieldErrors::none().with("code", "That code is wrong, was used before, or is too old.");
            let problems = AccountErrors {
                code,
                ..AccountErrors::default()
            };
            let view = AccountView {
                problems,
                ..view(&visit, &caller)
            };
            visit.page(StatusCode::BAD_REQUEST, request.app.pages.account(&view))
        }
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}
