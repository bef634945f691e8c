//! `/signup`: a new account.

use domain::flow::sign_up::NewUser;
use domain::policy::{PoolPolicy, SecondFactor};
use domain::user::{Phone, User};
use http::StatusCode;

use super::form::Form;
use super::pending::{Awaited, Pending};
use super::view::SignupView;
use super::visit::Visit;
use super::{providers, words};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `GET /signup`.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let visit = Visit::opened(&request)?;
    visit.page(StatusCode::OK, request.pages.signup(&blank(&visit)))
}

/// `POST /signup`: on to the code for the phone, where there is one to confirm, else to the login page.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let fields = [
        "email",
        "username",
        "phone",
        "password",
        "realm",
        "pool",
        "return_to",
    ];
    let form = Form::read(&mut request, &fields).await?;
    let visit = Visit::sent(&request, &form)?;
    let text = |name| form.filled(name).map(str::to_owned);
    let new = NewUser {
        realm: text("realm"),
        username: text("username"),
        email: text("email"),
        phone: text("phone"),
        password: Some(form.password("password")),
        ..NewUser::default()
    };
    match request
        .app
        .services
        .sign_up(visit.pool, new, request.origin())
        .await
    {
        Ok(user) if phone_comes_next(visit.pool, &user) => Ok(ask_for_code(&visit, &user).await),
        Ok(_) => Ok(welcome(&visit)),
        Err(error) => {
            let refusal = words::refusal(error, visit.pool, "password")?;
            let view = SignupView {
                errors: refusal.errors,
                ..filled(&visit, &form)
            };
            visit.page(refusal.status, request.pages.signup(&view))
        }
    }
}

/// Whether the number is confirmed right now. Not where sign-up hides that an address is taken: no code could be sent for the
/// account that only looks made, and the missing step would tell.
fn phone_comes_next(pool: &PoolPolicy, user: &User) -> bool {
    pool.second_factor != SecondFactor::Off && !pool.hide_existing && user.phone.is_some()
}

/// Sends the code. The account is made whether or not that works; the account page offers it again.
async fn ask_for_code(visit: &Visit<'_>, user: &User) -> Reply {
    let Visit { request, pool, .. } = visit;
    match request
        .app
        .services
        .send_phone_code(pool, user, request.origin())
        .await
    {
        Ok(token) => {
            let masked = user.phone.as_ref().map(Phone::masked);
            let pending = Pending::new(Awaited::Phone, pool, token, masked.as_deref());
            pending.keep(Reply::see_other(&visit.url("/verify", None)), pool, visit.jar())
        }
        Err(error) => {
            tracing::warn!(request_id = %request.id, %error, "no code was sent after a sign-up");
            welcome(visit)
        }
    }
}

fn welcome(visit: &Visit<'_>) -> Reply {
    let told = if visit.pool.email_verification_required {
        "mailed"
    } else {
        "created"
    };
    Reply::see_other(&visit.url("/login", Some(told)))
}

fn blank(visit: &Visit<'_>) -> SignupView {
    SignupView {
        csrf: visit.csrf(),
        pool: visit.pool_name(),
        return_to: visit.return_to.clone(),
        realm: visit.pool.realm_required.then(String::new),
        shortest_password: visit.pool.password.min,
        providers: providers::log_in_links(visit),
        ..SignupView::default()
    }
}

fn filled(visit: &Visit<'_>, form: &Form) -> SignupView {
    let text = |name| form.text(name).to_owned();
    SignupView {
        email: text("email"),
        username: text("username"),
        phone: text("phone"),
        realm: visit.pool.realm_required.then(|| text("realm")),
        ..blank(visit)
    }
}
