//! Adding an authenticator app.

use domain::error::{Denial, DomainError};
use domain::secret::Token;
use http::StatusCode;

use super::super::super::form::Form;
use super::super::super::view::{FieldErrors, TotpEnrolView};
use super::super::super::{session, totp};
use super::super::owner::Owner;
use super::{refuse, settle};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/security/totp`: the key, shown once.
pub async fn begin(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["name"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let name = form.filled("name").map(str::to_owned);
    let begun = owner
        .services()
        .begin_totp(owner.pool(), &owner.caller, name, request.origin());
    match begun.await {
        Ok(begun) => {
            let page = TotpEnrolView {
                csrf: owner.visit.csrf(),
                enrolment: Some(begun.enrolment.expose().to_owned()),
                ..totp::shown(&begun)
            };
            let html = request.pages.totp_enrol(&page);
            owner.visit.page(StatusCode::OK, html)
        }
        Err(error) => refuse(&owner, error).await,
    }
}

/// `POST /account/security/totp/confirm`: the app showed a right code.
pub async fn confirm(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["enrolment", "code"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let (enrolment, code) = (Token::presented(form.text("enrolment")), form.code());
    let confirmed =
        owner
            .services()
            .confirm_totp(owner.pool(), &owner.caller, &enrolment, &code, request.origin());
    match confirmed.await {
        // The app has the key already: only the code is asked for again.
        Err(DomainError::Denied(Denial::CodeRefused)) => {
            let sentence = "That is not the code that the app shows now. Try the next one.";
            let page = TotpEnrolView {
                csrf: owner.visit.csrf(),
                enrolment: Some(form.text("enrolment").to_owned()),
                errors: FieldErrors::none().with("code", sentence),
                ..TotpEnrolView::default()
            };
            let html = request.pages.totp_enrol(&page);
            owner.visit.page(StatusCode::UNPROCESSABLE_ENTITY, html)
        }
        ended => settle(&owner, ended, "app").await,
    }
}
