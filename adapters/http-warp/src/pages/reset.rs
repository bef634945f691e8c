//! `/reset`: ask for a link, then choose a new password with it.

use domain::error::{Denial, DomainError};
use domain::secret::Token;
use http::StatusCode;

use super::form::Form;
use super::view::{FieldErrors, ResetAskView, ResetChooseView, ResetView};
use super::visit::Visit;
use super::words;
use crate::extract::Request;
use crate::extract::cookies::Cookie;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;
use crate::steady::steady;

/// The one answer for known and unknown addresses.
const NOTICES: &[(&str, &str)] = &[
    (
        "sent",
        "If there is an account with that address, a mail with a link is on its way. The link works for a short while.",
    ),
    (
        "reverted",
        "Your account has its old address back, and everybody is logged out of it. Choose a new password now.",
    ),
];

/// `GET /reset`: with a token the new password is asked for, else the address. Opening a link spends nothing.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let visit = Visit::opened(&request)?;
    let query = Query::parse(&request.query);
    let view = match query.one("token").filter(|token| !token.is_empty()) {
        Some(token) => choose(&visit, token, FieldErrors::none()),
        None => ask(&visit, "", FieldErrors::none()),
    };
    visit.page(StatusCode::OK, request.pages.reset(&view))
}

/// `POST /reset`.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["email", "realm", "token", "new_password", "pool"]).await?;
    let visit = Visit::sent(&request, &form)?;
    match form.filled("token") {
        Some(token) => set_password(&visit, &form, token).await,
        None => send_link(&visit, &form).await,
    }
}

async fn send_link(visit: &Visit<'_>, form: &Form) -> Result<Reply, Problem> {
    let Visit { request, pool, .. } = visit;
    let Some(email) = form.filled("email") else {
        let errors = FieldErrors::none().with("email", "Enter your e-mail address.");
        return visit.page(
            StatusCode::BAD_REQUEST,
            request.pages.reset(&ask(visit, "", errors)),
        );
    };
    let work = request
        .app
        .services
        .request_reset(pool, form.filled("realm"), email, request.origin());
    match steady(work).await {
        Ok(()) => Ok(Reply::see_other(&visit.url("/reset", Some("sent")))),
        Err(error) => {
            let refusal = words::refusal(error, pool, "new_password")?;
            visit.page(
                refusal.status,
                request.pages.reset(&ask(visit, email, refusal.errors)),
            )
        }
    }
}

/// Every session of the account ends, so the one of this browser is forgotten too.
async fn set_password(visit: &Visit<'_>, form: &Form, token: &str) -> Result<Reply, Problem> {
    let Visit { request, pool, .. } = visit;
    let new = form.password("new_password");
    match request
        .app
        .services
        .reset_password(pool, &Token::presented(token), &new, request.origin())
        .await
    {
        Ok(_) => {
            Ok(Reply::see_other(&visit.url("/login", Some("reset")))
                .cookie(&visit.jar().clear(Cookie::Session)))
        }
        Err(DomainError::Denied(Denial::TokenRefused)) => {
            let errors = FieldErrors::form("That link is too old or was used before. Ask for another one.");
            visit.page(
                StatusCode::BAD_REQUEST,
                request.pages.reset(&ask(visit, "", errors)),
            )
        }
        Err(error) => {
            let refusal = words::refusal(error, pool, "new_password")?;
            visit.page(
                refusal.status,
                request.pages.reset(&choose(visit, token, refusal.errors)),
            )
        }
    }
}

fn ask(visit: &Visit<'_>, email: &str, errors: FieldErrors) -> ResetView {
    let notice = visit.notice(NOTICES).filter(|_| errors.is_empty());
    let realm = visit.pool.realm_required.then(String::new);
    ResetView::Ask(ResetAskView {
        csrf: visit.csrf(),
        pool: visit.pool_name(),
        realm,
        email: email.to_owned(),
        errors,
        notice,
    })
}

fn choose(visit: &Visit<'_>, token: &str, errors: FieldErrors) -> ResetView {
    ResetView::Choose(ResetChooseView {
        csrf: visit.csrf(),
        pool: visit.pool_name(),
        token: token.to_owned(),
        shortest_password: visit.pool.password.min,
        errors,
        notice: None,
    })
}
