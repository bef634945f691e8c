//! `/account`: who you are, and the forms that change it.

pub mod confirm;
pub mod email;
pub mod linked;
pub mod owner;
pub mod password;
pub mod phone;
pub mod security;
pub mod sessions;

use domain::credential::Password;
use domain::error::{Denial, DomainError};
use domain::flow::change_profile::ProfileChange;
use domain::user::{FactorKind, Phone, User};
use http::StatusCode;

use self::owner::Owner;
use super::form::Form;
use super::view::{AccountErrors, AccountView, FieldErrors};
use super::words::{self, Refusal};
use super::{providers, session};
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
    (
        "number",
        "Your phone number is kept. Confirm it below, and it guards your log-in.",
    ),
    ("sent", "A code is on its way. Type it below."),
    (
        "confirmed",
        "Your phone number is confirmed. From now on it guards your log-in.",
    ),
    ("proven", "Thank you. Now do it once more."),
    ("ended", "You are logged out everywhere else."),
    (
        "unlinked",
        "That account is unlinked. You are logged out everywhere else.",
    ),
    (
        "forgotten",
        "That permission is forgotten here. You may withdraw it at the provider too.",
    ),
];

/// `GET /account`.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let problems = AccountErrors {
        linked: words::told_in(&request),
        ..AccountErrors::default()
    };
    let page = AccountView {
        notice: owner.visit.notice(NOTICES),
        problems,
        ..view(&owner)
    };
    again(&owner, StatusCode::OK, &page)
}

/// The page anew, saying what came of a form.
fn done(told: &str) -> Reply {
    Reply::see_other(&super::place::url("/account", &[(told, Some("1"))]))
}

/// The page with what was wrong with a form.
fn refused(owner: &Owner<'_>, status: StatusCode, problems: AccountErrors) -> Result<Reply, Problem> {
    let page = AccountView {
        problems,
        ..view(owner)
    };
    again(owner, status, &page)
}

fn again(owner: &Owner<'_>, status: StatusCode, page: &AccountView) -> Result<Reply, Problem> {
    let pages = &owner.visit.request.pages;
    owner.visit.page(status, pages.account(page))
}

/// The password typed as proof; none where there is none to type, and a fresh log-in is asked for instead.
fn proof(form: &Form, owner: &Owner<'_>) -> Option<Password> {
    let typed = form.password("current_password");
    owner.caller.user.password.is_some().then_some(typed)
}

/// Changes a contact; what a refusal shows beside its form, if it was refused.
async fn change(owner: &Owner<'_>, wanted: &ProfileChange) -> Result<Option<Refusal>, Problem> {
    let origin = owner.visit.request.origin();
    let changed = owner
        .services()
        .change_profile(owner.pool(), &owner.caller, wanted, origin);
    let Err(error) = changed.await else {
        return Ok(None);
    };
    let asks = matches!(
        error,
        DomainError::Denied(Denial::ProofRequired | Denial::CurrentPasswordRequired)
    );
    let mut refusal = words::refusal(error, owner.pool(), "password")?;
    if asks && owner.caller.user.password.is_none() {
        refusal.errors = FieldErrors::form(
            "Prove once more that it is you: log out and in again, or choose a password first. Then change this.",
        );
    }
    Ok(Some(refusal))
}

/// The page as the account is now.
fn view(owner: &Owner<'_>) -> AccountView {
    let (visit, user) = (&owner.visit, &owner.caller.user);
    AccountView {
        csrf: visit.csrf(),
        pool: visit.pool_name(),
        email: user.email.as_ref().map(ToString::to_string).unwrap_or_default(),
        email_verified: user.email_verified,
        username: user.username.as_ref().map(ToString::to_string),
        phone: user.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        phone_confirmed: user.phone_is_confirmed(),
        codes_go_to: user
            .factor_phone
            .as_ref()
            .filter(|_| !user.phone_is_confirmed())
            .map(Phone::masked),
        second_step: second_step(user),
        has_password: user.password.is_some(),
        linked: providers::linked(visit, user),
        linkable: providers::link_links(visit),
        grants: providers::grants(visit, user),
        shortest_password: visit.pool.password.min,
        ..AccountView::default()
    }
}

/// The second factors of a user, in words.
fn second_step(user: &User) -> Option<String> {
    let words = user.second_factors().into_iter().map(|kind| match kind {
        FactorKind::Passkey => "Passkey",
        FactorKind::Totp => "Authenticator app",
        FactorKind::Sms => "Text message",
        FactorKind::Recovery => "Recovery codes",
    });
    let words: Vec<&str> = words.collect();
    (!words.is_empty()).then(|| words.join(", "))
}
