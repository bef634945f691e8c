//! `/email/revert`: whoever reads the old address takes it back.

use domain::error::{Denial, DomainError};
use domain::secret::Token;
use http::StatusCode;

use super::form::Form;
use super::view::{Next, RevertEmailView, VerifyResultView, VerifyView};
use super::visit::Visit;
use crate::extract::Request;
use crate::extract::cookies::Cookie;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `GET /email/revert`: a button. Opening the link spends nothing.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let visit = Visit::opened(&request)?;
    let query = Query::parse(&request.query);
    let Some(token) = query.one("token").filter(|token| !token.is_empty()) else {
        return void(&visit);
    };
    let view = RevertEmailView {
        csrf: visit.csrf(),
        token: token.to_owned(),
        pool: visit.pool_name(),
    };
    visit.page(StatusCode::OK, request.pages.revert_email(&view))
}

/// `POST /email/revert`: every session of the account ends, so the one of this browser is forgotten too.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["token", "pool"]).await?;
    let visit = Visit::sent(&request, &form)?;
    let token = Token::presented(form.text("token"));
    let services = &request.app.services;
    match services.revert_email(visit.pool, &token, request.origin()).await {
        Ok(()) => {
            let reply = Reply::see_other(&visit.url("/reset", Some("reverted")));
            Ok(reply.cookie(&visit.jar().clear(Cookie::Session)))
        }
        Err(DomainError::Denied(Denial::TokenRefused)) => void(&visit),
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

fn void(visit: &Visit<'_>) -> Result<Reply, Problem> {
    let view = VerifyResultView {
        done: false,
        title: "This link does nothing any more".to_owned(),
        message:
            "It is too old or was used before. If somebody else holds your account, choose a new password."
                .to_owned(),
        pool: visit.pool_name(),
        next: Next::LogIn,
    };
    let html = visit.request.pages.verify(&VerifyView::Result(view));
    visit.page(StatusCode::BAD_REQUEST, html)
}
