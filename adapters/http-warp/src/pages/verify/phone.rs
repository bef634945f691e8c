//! Confirming the number given at sign-up, before any log-in.

use domain::error::{Denial, DomainError};
use http::StatusCode;

use super::super::form::Form;
use super::super::pending::{Awaited, Pending};
use super::super::view::{FieldErrors, VerifyPhoneView, VerifyView};
use super::super::visit::Visit;
use crate::extract::Request;
use crate::extract::cookies::Cookie;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

const NOTICES: &[(&str, &str)] = &[("sent", "A new code is on its way. The one before is void.")];

/// The page for the code.
pub fn show(request: &Request, pending: &Pending, return_to: Option<&str>) -> Result<Reply, Problem> {
    let visit = Visit::within(request, &pending.pool)?.leading_to(return_to);
    page(&visit, pending, StatusCode::OK, FieldErrors::none())
}

/// The typed code.
pub async fn confirm(request: &Request, form: &Form, pending: &Pending) -> Result<Reply, Problem> {
    let visit = Visit::within(request, &pending.pool)?.leading_to(form.filled("return_to"));
    let services = &request.app.services;
    match services
        .confirm_phone_by_token(visit.pool, &pending.token, &form.code(), request.origin())
        .await
    {
        Ok(_) => Ok(on_to_login(&visit, "confirmed")),
        Err(DomainError::Denied(Denial::TokenRefused)) => {
            let wrong = "That code is wrong, was used before, or is too old.";
            page(
                &visit,
                pending,
                StatusCode::BAD_REQUEST,
                FieldErrors::none().with("code", wrong),
            )
        }
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

/// `POST /verify/phone/resend`: another code to the same number.
pub async fn resend(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["return_to"]).await?;
    let Some(pending) = Pending::of(&request, Awaited::Phone) else {
        return Ok(Reply::see_other("/login"));
    };
    let visit = Visit::within(&request, &pending.pool)?.leading_to(form.filled("return_to"));
    let services = &request.app.services;
    match services
        .send_phone_code_by_token(visit.pool, &pending.token, request.origin())
        .await
    {
        Ok(token) => Ok(pending.continued_by(token).keep(
            Reply::see_other(&visit.url("/verify", Some("sent"))),
            visit.pool,
            visit.jar(),
        )),
        Err(DomainError::Denied(Denial::TokenRefused | Denial::PhoneRequired)) => {
            Ok(on_to_login(&visit, "created"))
        }
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

fn on_to_login(visit: &Visit<'_>, told: &str) -> Reply {
    let told = if visit.pool.email_verification_required {
        "mailed"
    } else {
        told
    };
    Reply::see_other(&visit.url("/login", Some(told))).cookie(&visit.jar().clear(Cookie::Pending))
}

fn page(
    visit: &Visit<'_>,
    pending: &Pending,
    status: StatusCode,
    errors: FieldErrors,
) -> Result<Reply, Problem> {
    let notice = visit.notice(NOTICES).filter(|_| errors.is_empty());
    let view = VerifyPhoneView {
        csrf: visit.csrf(),
        pool: visit.pool_name(),
        return_to: visit.return_to.clone(),
        sent_to: pending.sent_to(),
        errors,
        notice,
    };
    visit.page(status, visit.request.pages.verify(&VerifyView::Phone(view)))
}
