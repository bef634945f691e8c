//! `/login`: name and password.

use domain::error::{Denial, DomainError};
use domain::id::UserId;
use domain::service::{Credentials, LoggedIn, LoginName};
use http::StatusCode;

use super::form::Form;
use super::pending::{Awaited, Pending};
use super::view::{ErrorView, FieldErrors, LoginView};
use super::visit::Visit;
use super::{providers, session, words};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// What other pages say through this one.
const NOTICES: &[(&str, &str)] = &[
    ("created", "Your account is ready. Log in to open it."),
    (
        "mailed",
        "Almost done: we mailed you a link. Open it, then log in.",
    ),
    (
        "confirmed",
        "Your phone number is confirmed. Log in to open your account.",
    ),
    ("reset", "Your password is changed. Log in with the new one."),
    (
        "again",
        "That log-in took too long or was tried too often. Please start again.",
    ),
    ("bye", "You are logged out."),
];

/// `GET /login`. Who is logged in already goes on.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let visit = Visit::opened(&request)?;
    let caller = session::current(&request).await?;
    if caller.is_some_and(|caller| caller.user.key.pool == visit.pool.name) {
        return Ok(Reply::see_other(visit.destination()));
    }
    let view = LoginView {
        notice: visit.notice(NOTICES),
        errors: words::told_in(&request),
        ..blank(&visit)
    };
    visit.page(StatusCode::OK, request.app.pages.login(&view))
}

/// `POST /login`: in, or on to the code.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(
        &mut request,
        &["identifier", "password", "realm", "pool", "return_to"],
    )
    .await?;
    let visit = Visit::sent(&request, &form)?;
    if form.filled("identifier").is_none() {
        return refuse(&visit, &form, Denial::UsernameOrEmailRequired.into());
    }
    let credentials = Credentials {
        realm: form.filled("realm").map(str::to_owned),
        name: LoginName::typed(form.text("identifier")),
        password: form.password("password"),
    };
    let services = &request.app.services;
    match services
        .login_or_request_code(visit.pool, &credentials, request.origin())
        .await
    {
        Ok(LoggedIn::Opened(token)) => session::open(&visit, &token).await,
        Ok(LoggedIn::AwaitingCode(requested)) => {
            let challenge = requested
                .challenge
                .ok_or_else(|| Problem::internal("a first code without a challenge"))?;
            let pending = Pending::new(
                Awaited::Login,
                visit.pool,
                challenge,
                requested.sent_to.as_deref(),
            );
            Ok(pending.keep(
                Reply::see_other(&visit.url("/two-factor", None)),
                visit.pool,
                visit.jar(),
            ))
        }
        Err(error) => refuse(&visit, &form, error),
    }
}

fn refuse(visit: &Visit<'_>, form: &Form, error: DomainError) -> Result<Reply, Problem> {
    let pages = &visit.request.app.pages;
    let identifier = form.text("identifier").to_owned();
    match error {
        DomainError::Denied(Denial::EmailNotVerified { user }) => {
            let view = LoginView {
                identifier,
                errors: not_verified(),
                unverified: Some(user.to_string()),
                ..blank(visit)
            };
            visit.page(StatusCode::UNAUTHORIZED, pages.login(&view))
        }
        DomainError::Denied(Denial::PhoneRequired) => {
            visit.page(StatusCode::UNPROCESSABLE_ENTITY, pages.error(&phone_required()))
        }
        error => {
            let refusal = words::refusal(error, visit.pool, "password")?;
            let realm = visit.pool.realm_required.then(|| form.text("realm").to_owned());
            let view = LoginView {
                identifier,
                realm,
                errors: refusal.errors,
                ..blank(visit)
            };
            visit.page(refusal.status, pages.login(&view))
        }
    }
}

/// The form as it is first seen.
fn blank(visit: &Visit<'_>) -> LoginView {
    LoginView {
        csrf: visit.csrf(),
        pool: visit.pool_name(),
        return_to: visit.return_to.clone(),
        realm: visit.pool.realm_required.then(String::new),
        providers: providers::log_in_links(visit),
        ..LoginView::default()
    }
}

/// The login page after a verification link was asked for; the same for everybody.
pub fn after_resend(visit: &Visit<'_>, user: &UserId) -> Result<Reply, Problem> {
    let notice = "If your address still has to be confirmed, a new link is on its way.".to_owned();
    let view = LoginView {
        notice: Some(notice),
        unverified: Some(user.to_string()),
        ..blank(visit)
    };
    visit.page(StatusCode::OK, visit.request.app.pages.login(&view))
}

fn not_verified() -> FieldErrors {
    FieldErrors::form(
        "Your e-mail address is not confirmed yet. Open the link that we mailed you, then log in.",
    )
}

fn phone_required() -> ErrorView {
    ErrorView {
        status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
        title: "Your account has no phone number".to_owned(),
        message:
            "Logging in here takes a code by text message, and your account has no number to send it to. \
                  Please ask the people who run this site to add one."
                .to_owned(),
        request_id: None,
    }
}
