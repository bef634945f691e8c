//! `/login`: name and password.

use domain::error::{Denial, DomainError};
use domain::id::UserId;
use domain::service::{Credentials, LoggedIn, LoginName};
use http::StatusCode;

use super::form::Form;
use super::pending::{Awaited, Pending};
use super::view::{ErrorView, FieldErrors, LoginView};
use super::visit::Visit;
use super::{keep, providers, session, words};
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
    page(&visit, StatusCode::OK, &view)
}

/// `POST /login`: in, or on to the code.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(
        &mut request,
        &[
            "identifier",
            "password",
            "realm",
            "pool",
            "return_to",
            keep::FIELD,
        ],
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
        .login_or_request_code(
            visit.pool,
            &credentials,
            keep::terms(visit.pool, &form),
            request.origin(),
        )
        .await
    {
        Ok(logged_in) => go_on(&visit, logged_in).await,
        Err(error) => refuse(&visit, &form, error),
    }
}

/// In, or on to the second step.
///
/// # Errors
/// When a store does not answer.
pub async fn go_on(visit: &Visit<'_>, logged_in: LoggedIn) -> Result<Reply, Problem> {
    match logged_in {
        LoggedIn::Opened(token) => session::open(visit, &token).await,
        LoggedIn::AwaitingCode(requested) => {
            let challenge = requested
                .challenge
                .ok_or_else(|| Problem::internal("a first code without a challenge"))?;
            let sent_to = requested.sent_to.as_deref();
            let pending = Pending::new(Awaited::Login, visit.pool, challenge, sent_to);
            let reply = Reply::see_other(&visit.url("/two-factor", None));
            Ok(pending.keep(reply, visit.pool, visit.jar()))
        }
    }
}

/// The form once more, with what was wrong.
///
/// # Errors
/// 500 when the template failed.
pub fn again(visit: &Visit<'_>, status: StatusCode, errors: FieldErrors) -> Result<Reply, Problem> {
    let view = LoginView {
        errors,
        ..blank(visit)
    };
    page(visit, status, &view)
}

/// The page; with the script where a passkey is a log-in.
fn page(visit: &Visit<'_>, status: StatusCode, view: &LoginView) -> Result<Reply, Problem> {
    let html = visit.request.pages.login(view);
    if view.passkey_url.is_some() {
        visit.scripted(status, html)
    } else {
        visit.page(status, html)
    }
}

/// What a refused log-in shows.
///
/// # Errors
/// What no form can do anything about.
pub fn refuse(visit: &Visit<'_>, form: &Form, error: DomainError) -> Result<Reply, Problem> {
    let pages = &visit.request.pages;
    let identifier = form.text("identifier").to_owned();
    match error {
        DomainError::Denied(Denial::EmailNotVerified { user }) => {
            let view = LoginView {
                identifier,
                errors: not_verified(),
                unverified: Some(user.to_string()),
                ..blank(visit)
            };
            page(visit, StatusCode::UNAUTHORIZED, &view)
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
            page(visit, refusal.status, &view)
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
        passkey_url: passkey_url(visit),
        magic_link: visit.pool.magic_link,
        ..LoginView::default()
    }
}

/// Where the script asks what to ask an authenticator; none where a passkey is no log-in.
fn passkey_url(visit: &Visit<'_>) -> Option<String> {
    let offered = visit.pool.passkey_login && visit.request.app.services.speaks_passkeys();
    offered.then(|| format!("/api/{}/passkey/options", visit.pool.name))
}

/// The login page after a verification link was asked for; the same for everybody.
pub fn after_resend(visit: &Visit<'_>, user: &UserId) -> Result<Reply, Problem> {
    let notice = "If your address still has to be confirmed, a new link is on its way.".to_owned();
    let view = LoginView {
        notice: Some(notice),
        unverified: Some(user.to_string()),
        ..blank(visit)
    };
    page(visit, StatusCode::OK, &view)
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
