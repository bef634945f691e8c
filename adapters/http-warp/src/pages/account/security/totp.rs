//! Adding an authenticator app.

use domain::error::{Denial, DomainError};
use domain::secret::{Secret, Token};
use http::StatusCode;

use super::super::super::form::Form;
use super::super::super::view::{FieldErrors, TotpEnrolView};
use super::super::super::visit::Visit;
use super::super::super::{qr, session};
use super::{done, refuse};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/security/totp`: the key, shown once.
pub async fn begin(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["name"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let name = form.filled("name").map(str::to_owned);
    let services = &request.app.services;
    match services
        .begin_totp(visit.pool, &caller, name, request.origin())
        .await
    {
        Ok(begun) => {
            let view = TotpEnrolView {
                csrf: visit.csrf(),
                enrolment: begun.enrolment.expose().to_owned(),
                secret: Some(grouped(begun.secret.expose())),
                qr: begun.uri.as_ref().and_then(|uri| qr::picture(uri.expose())),
                errors: FieldErrors::none(),
            };
            visit.page(StatusCode::OK, request.app.pages.totp_enrol(&view))
        }
        Err(error) => refuse(&visit, &caller, error).await,
    }
}

/// `POST /account/security/totp/confirm`: the app showed a right code.
pub async fn confirm(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["enrolment", "code"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let enrolment = Token::presented(form.text("enrolment"));
    let services = &request.app.services;
    match services
        .confirm_totp(visit.pool, &caller, &enrolment, &form.code(), request.origin())
        .await
    {
        Ok(_) => Ok(done("app")),
        // The app has the key already: only the code is asked for again.
        Err(DomainError::Denied(Denial::CodeRefused)) => {
            let errors = FieldErrors::none().with(
                "code",
                "That is not the code that the app shows now. Try the next one.",
            );
            let view = TotpEnrolView {
                csrf: visit.csrf(),
                enrolment: form.text("enrolment").to_owned(),
                errors,
                ..TotpEnrolView::default()
            };
            visit.page(
                StatusCode::UNPROCESSABLE_ENTITY,
                request.app.pages.totp_enrol(&view),
            )
        }
        Err(error) => refuse(&visit, &caller, error).await,
    }
}

/// A key in groups of four, as it is read off and typed.
fn grouped(key: &Secret) -> String {
    let mut text = String::with_capacity(key.expose().len() * 5 / 4);
    for (position, letter) in key.expose().chars().enumerate() {
        if position > 0 && position % 4 == 0 {
            text.push(' ');
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_shown_in_groups() {
        assert_eq!(grouped(&Secret::new("GEZDGNBVG")), "GEZD GNBV G");
    }
}
