//! `/login/link`: a mailed link in the place of a password, where the pool has them.

use domain::error::{Denial, DomainError};
use domain::secret::Token;
use domain::service::LoginName;
use http::StatusCode;

use super::form::Form;
use super::view::{FieldErrors, LinkAskView, LinkOpenView};
use super::visit::Visit;
use super::{keep, login, words};
use crate::extract::Request;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;
use crate::steady::steady;

/// The one answer for known and unknown addresses.
const NOTICES: &[(&str, &str)] = &[(
    "sent",
    "If there is an account with that address, a mail with a link is on its way. The link works for a short while.",
)];

/// `GET /login/link`: with a token a button, else the question for an address. Opening a link spends nothing.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let visit = offered(Visit::opened(&request)?)?;
    let query = Query::parse(&request.query);
    match query.one("token").filter(|token| !token.is_empty()) {
        Some(token) => {
            let view = LinkOpenView {
                csrf: visit.csrf(),
                token: token.to_owned(),
                pool: visit.pool_name(),
            };
            visit.page(StatusCode::OK, request.pages.login_link_open(&view))
        }
        None => ask(&visit, StatusCode::OK, "", FieldErrors::none()),
    }
}

/// `POST /login/link`: a mail, for whoever has an account.
pub async fn send(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["identifier", "realm", "pool", "return_to"]).await?;
    let visit = offered(Visit::sent(&request, &form)?)?;
    let Some(typed) = form.filled("identifier") else {
        let errors = FieldErrors::none().with("identifier", "Enter your e-mail address.");
        return ask(&visit, StatusCode::BAD_REQUEST, "", errors);
    };
    let (name, realm) = (LoginName::typed(typed), form.filled("realm"));
    let work = request.app.services.request_link(
        visit.pool,
        &name,
        realm,
        visit.return_to.clone(),
        request.origin(),
    );
    match steady(work).await {
        Ok(()) => Ok(Reply::see_other(&visit.url("/login/link", Some("sent")))),
        Err(error) => {
            let refusal = words::refusal(error, visit.pool, "password")?;
            ask(&visit, refusal.status, typed, refusal.errors)
        }
    }
}

/// `POST /login/link/open`: in, or on to the second step.
pub async fn open(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["token", "pool", keep::FIELD]).await?;
    let visit = offered(Visit::sent(&request, &form)?)?;
    let (token, terms) = (
        Token::presented(form.text("token")),
        keep::terms(visit.pool, &form),
    );
    let services = &request.app.services;
    match services
        .login_with_link(visit.pool, &token, terms, request.origin())
        .await
    {
        Ok((logged_in, return_to)) => {
            let visit = visit.leading_to(return_to.as_deref());
            login::go_on(&visit, logged_in).await
        }
        Err(DomainError::Denied(Denial::LoginFailed | Denial::TokenRefused)) => {
            let errors = FieldErrors::form("That link is too old or was used before. Ask for another one.");
            ask(&visit, StatusCode::UNAUTHORIZED, "", errors)
        }
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

/// The same visit, where the pool has links.
fn offered(visit: Visit<'_>) -> Result<Visit<'_>, Problem> {
    if visit.pool.magic_link {
        Ok(visit)
    } else {
        Err(Problem::not_found("There are no links to log in with here."))
    }
}

fn ask(
    visit: &Visit<'_>,
    status: StatusCode,
    identifier: &str,
    errors: FieldErrors,
) -> Result<Reply, Problem> {
    let view = LinkAskView {
        csrf: visit.csrf(),
        pool: visit.pool_name(),
        return_to: visit.return_to.clone(),
        realm: visit.pool.realm_required.then(String::new),
        identifier: identifier.to_owned(),
        notice: visit.notice(NOTICES).filter(|_| errors.is_empty()),
        errors,
    };
    visit.page(status, visit.request.pages.login_link(&view))
}
