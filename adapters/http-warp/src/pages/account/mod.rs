//! `/account`: who you are, and the forms that change it.

pub mod email;
pub mod password;
pub mod phone;
pub mod sessions;

use domain::service::Authenticated;
use http::StatusCode;

use super::session;
use super::view::AccountView;
use super::visit::Visit;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// What the forms of this page lead to.
const NOTICES: &[(&str, &str)] = &[
    (
        "password",
        "Your password is changed. You are logged out everywhere else.",
    ),
    (
        "email",
        "Your e-mail address is changed. You are logged out everywhere else.",
    ),
    (
        "mailed",
        "If your address still has to be confirmed, a link is on its way to it.",
    ),
    (
        "phone",
        "Your phone number is changed. You are logged out everywhere else.",
    ),
    ("sent", "A code is on its way. Type it below."),
    (
        "confirmed",
        "Your phone number is confirmed. From now on it guards your log-in.",
    ),
    ("ended", "You are logged out everywhere else."),
];

/// `GET /account`.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let view = AccountView {
        notice: visit.notice(NOTICES),
        ..view(&visit, &caller)
    };
    visit.page(StatusCode::OK, request.app.pages.account(&view))
}

/// The page again, saying what came of a form.
fn done(told: &str) -> Reply {
    Reply::see_other(&super::place::url("/account", &[(told, Some("1"))]))
}

/// The page as the account is now.
fn view(visit: &Visit<'_>, caller: &Authenticated) -> AccountView {
    let user = &caller.user;
    AccountView {
        csrf: visit.csrf(),
        pool: visit.pool_name(),
        email: user.email.as_ref().map(ToString::to_string).unwrap_or_default(),
        email_verified: user.email_verified,
        username: user.username.as_ref().map(ToString::to_string),
        phone: user.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        phone_confirmed: user.phone_is_confirmed(),
        shortest_password: visit.pool.password.min,
        ..AccountView::default()
    }
}
