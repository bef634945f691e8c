//! `/two-factor`: the code of a log-in whose password was right.

use domain::error::{Denial, DomainError};
use domain::service::CodeLogin;
use http::StatusCode;

use super::form::Form;
use super::pending::{Awaited, Pending};
use super::view::{FieldErrors, TwoFactorView};
use super::visit::Visit;
use super::{external, place};
use crate::extract::Request;
use crate::extract::cookies::{Cookie, Jar};
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

const NOTICES: &[(&str, &str)] = &[("sent", "A new code is on its way. The one before is void.")];

/// `GET /two-factor`.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let Some(pending) = Pending::of(&request, Awaited::Login) else {
        return Ok(Reply::see_other("/login"));
    };
    let query = Query::parse(&request.query);
    let visit = Visit::within(&request, &pending.pool)?.leading_to(query.one("return_to"));
    let view = TwoFactorView {
        notice: visit.notice(NOTICES),
        ..view(&visit, &pending)
    };
    visit.page(StatusCode::OK, request.app.pages.two_factor(&view))
}

/// `POST /two-factor`: in.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["code", "return_to"]).await?;
    let Some(pending) = Pending::of(&request, Awaited::Login) else {
        return Ok(Reply::see_other("/login"));
    };
    let visit = Visit::within(&request, &pending.pool)?.leading_to(form.filled("return_to"));
    let code = CodeLogin {
        name: None,
        realm: None,
        code: form.code(),
        challenge: Some(pending.token.clone()),
    };
    match request
        .app
        .services
        .login_with_code(visit.pool, code, request.origin())
        .await
    {
        Ok(token) => external::let_in(visit, pending.entry(&request).as_deref(), &token).await,
        Err(DomainError::Denied(Denial::LoginFailed)) => {
            let wrong = "That code is wrong, was used before, or is too old.";
            let view = TwoFactorView {
                errors: FieldErrors::none().with("code", wrong),
                ..view(&visit, &pending)
            };
            visit.page(StatusCode::UNAUTHORIZED, request.app.pages.two_factor(&view))
        }
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

/// `POST /two-factor/resend`: another code for the same log-in.
pub async fn resend(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["return_to"]).await?;
    let Some(pending) = Pending::of(&request, Awaited::Login) else {
        return Ok(Reply::see_other("/login"));
    };
    let visit = Visit::within(&request, &pending.pool)?.leading_to(form.filled("return_to"));
    match request
        .app
        .services
        .resend_code(visit.pool, &pending.token, request.origin())
        .await
    {
        Ok(_) => {
            let pairs = [("sent", Some("1")), ("return_to", visit.return_to.as_deref())];
            Ok(Reply::see_other(&place::url("/two-factor", &pairs)))
        }
        Err(DomainError::Denied(Denial::LoginFailed)) => Ok(start_again(&visit, visit.jar())),
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}

fn start_again(visit: &Visit<'_>, jar: Jar) -> Reply {
    Reply::see_other(&visit.url("/login", Some("again"))).cookie(&jar.clear(Cookie::Pending))
}

fn view(visit: &Visit<'_>, pending: &Pending) -> TwoFactorView {
    TwoFactorView {
        csrf: visit.csrf(),
        return_to: visit.return_to.clone(),
        sent_to: pending.sent_to(),
        lifetime_seconds: Some(visit.pool.code_life.as_secs_ceil()),
        ..TwoFactorView::default()
    }
}
