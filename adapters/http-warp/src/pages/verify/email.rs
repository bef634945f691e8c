//! Confirming an e-mail address.

use domain::error::{Denial, DomainError};
use domain::id::UserId;
use domain::secret::Token;
use http::StatusCode;

use super::super::form::Form;
use super::super::login;
use super::super::view::{Next, VerifyEmailView, VerifyResultView, VerifyView};
use super::super::visit::Visit;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;
use crate::steady::steady;

/// The page of a mailed link: one button.
pub fn show(request: &Request, uid: &str, token: &str) -> Result<Reply, Problem> {
    let visit = Visit::opened(request)?;
    let (uid, token) = (uid.to_owned(), token.to_owned());
    let view = VerifyView::Email(VerifyEmailView {
        csrf: visit.csrf(),
        uid,
        token,
        pool: visit.pool_name(),
    });
    visit.page(StatusCode::OK, request.pages.verify(&view))
}

/// The button.
pub async fn confirm(request: &Request, form: &Form) -> Result<Reply, Problem> {
    let visit = Visit::sent(request, form)?;
    let (uid, token) = (
        UserId::new(form.text("uid")),
        Token::presented(form.text("token")),
    );
    match request
        .app
        .services
        .confirm_email(visit.pool, &uid, &token, request.origin())
        .await
    {
        Ok(_) => result(
            &visit,
            StatusCode::OK,
            "Thank you",
            "Your e-mail address is confirmed.",
        ),
        Err(DomainError::Denied(Denial::TokenRefused)) => {
            let why = "That link is too old or was used before. If you confirmed your address already, just log in.";
            result(
                &visit,
                StatusCode::BAD_REQUEST,
                "This link does nothing any more",
                why,
            )
        }
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

/// `POST /verify/email/resend`: a new link for the account that a right password just led to. The answer is the same for every
/// id, a mail goes to the account's own address alone, and only so many of them.
pub async fn resend(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["uid", "pool", "return_to"]).await?;
    let visit = Visit::sent(&request, &form)?;
    let user = UserId::new(form.text("uid"));
    let work = request
        .app
        .services
        .send_verification(visit.pool, &user, request.origin());
    match steady(work).await {
        Ok(()) => login::after_resend(&visit, &user),
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

fn result(visit: &Visit<'_>, status: StatusCode, title: &str, message: &str) -> Result<Reply, Problem> {
    let view = VerifyResultView {
        done: status.is_success(),
        title: title.to_owned(),
        message: message.to_owned(),
        pool: visit.pool_name(),
        next: Next::LogIn,
    };
    visit.page(status, visit.request.pages.verify(&VerifyView::Result(view)))
}
