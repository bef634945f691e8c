//! `/auth/impersonate`: an administrator acts as a user, and every page says so until they stop.
//!
//! The administrator's own token waits in a cookie of its own. Whoever stops gets it back only if it is the very session that the other one
//! was begun by.

use domain::error::{Denial, DomainError};
use domain::flow::impersonate::Doing;
use domain::id::UserId;
use domain::service::{Authenticated, ImpersonationAsk};
use domain::user::User;
use http::StatusCode;

use super::account::owner::Owner;
use super::csrf::Csrf;
use super::form::Form;
use super::view::{ActingView, FieldErrors, ImpersonateView};
use super::{moments, place, session, words};
use crate::extract::Request;
use crate::extract::cookies::{Cookie, Jar};
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// Where this page stands.
const PATH: &str = "/auth/impersonate";

/// Dresses the pages of a request by whoever acts as somebody else. Where a store does not answer, the page itself will not either.
pub async fn tell_who_acts(request: &mut Request) {
    let Ok(Some(caller)) = session::of_cookie(request, Cookie::Session, Doing::Look).await else {
        return;
    };
    if let Some(acting) = banner(request, &caller).await {
        request.pages = request.pages.saying_who_acts(acting);
    }
}

async fn banner(request: &Request, caller: &Authenticated) -> Option<ActingView> {
    let impersonator = caller.session.impersonator.as_ref()?;
    let services = &request.app.services;
    let pool = services.pool(&impersonator.user.pool)?;
    let administrator = services.find_user(pool, &impersonator.user.id).await.ok()?;
    let until = caller.session.life.expires(caller.session.created);
    let csrf = Csrf::of(request);
    Some(ActingView {
        csrf: (!csrf.is_new()).then(|| csrf.value()),
        user: name(&caller.user),
        administrator: administrator.as_ref().map_or_else(String::new, name),
        until: until.map(moments::minute),
    })
}

/// What people call a user by: their address, else their name, else their id.
fn name(user: &User) -> String {
    let email = user.email.as_ref().map(ToString::to_string);
    let username = || user.username.as_ref().map(ToString::to_string);
    email.or_else(username).unwrap_or_else(|| user.key.id.to_string())
}

/// `GET /auth/impersonate?user=…`: as whom, and why.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let Some(owner) = Owner::of(&request).await? else {
        let here = format!("{PATH}?{}", request.query);
        let login = place::url("/login", &[("return_to", place::local(&here))]);
        return Ok(Reply::see_other(&login));
    };
    let query = Query::parse(&request.query);
    let user = UserId::new(query.one("user").unwrap_or_default());
    ask(&owner, StatusCode::OK, &user, "", FieldErrors::none()).await
}

/// `POST /auth/impersonate`: the user's account, until the administrator stops.
pub async fn begin(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["user", "reason"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let user = UserId::new(form.text("user"));
    let wanted = ImpersonationAsk {
        user: user.clone(),
        reason: form.text("reason").to_owned(),
        ttl: None,
    };
    let services = owner.services();
    let begun = services.impersonate(owner.pool(), &owner.caller, wanted, request.origin());
    match begun.await {
        Ok(Some(begun)) => {
            let jar = owner.visit.jar();
            let own = session::token_in(&request, Cookie::Session).ok_or_else(not_found)?;
            let reply = session::renew(&owner.visit, &begun, place::HOME);
            Ok(reply.cookie(&jar.set(Cookie::Own, own.expose(), None)))
        }
        Ok(None) | Err(DomainError::Denied(Denial::AuthorizationRequired)) => Err(not_found()),
        Err(DomainError::Denied(Denial::StepUpRequired { .. })) => {
            let back = place::url(PATH, &[("user", Some(user.as_str()))]);
            let proof = place::url("/account/confirm", &[("return_to", Some(&back))]);
            Ok(Reply::see_other(&proof))
        }
        Err(error) => {
            let refusal = words::refusal(error, owner.pool(), "password")?;
            ask(&owner, refusal.status, &user, form.text("reason"), refusal.errors).await
        }
    }
}

/// `POST /auth/impersonate/stop`: back to the administrator's own session, if it is alive; else to the login page.
pub async fn stop(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let acting = session::of_cookie(&request, Cookie::Session, Doing::Leave).await?;
    let impersonator = acting.and_then(|acting| acting.session.impersonator);
    let Some(impersonator) = impersonator else {
        return Ok(Reply::see_other(place::HOME));
    };
    session::end_of_cookie(&request, Cookie::Session).await?;
    let own = session::of_cookie(&request, Cookie::Own, Doing::Look).await?;
    let own = own.filter(|own| own.session.id == impersonator.session && own.user.key == impersonator.user);
    let jar = Jar::new(request.app.settings.is_https());
    let reply = match own.and_then(|_| session::token_in(&request, Cookie::Own)) {
        Some(token) => Reply::see_other(place::HOME).cookie(&jar.set(Cookie::Session, token.expose(), None)),
        None => session::log_in_first(&request),
    };
    let reply = reply.cookie(&jar.clear(Cookie::Own));
    Ok(Csrf::draw(&request.app.services).dress(reply, jar))
}

async fn ask(
    owner: &Owner<'_>,
    status: StatusCode,
    user: &UserId,
    reason: &str,
    errors: FieldErrors,
) -> Result<Reply, Problem> {
    let found = owner
        .services()
        .find_user_to_impersonate(owner.pool(), &owner.caller, user);
    let found = match found.await {
        Ok(Some(found)) => found,
        Ok(None) | Err(DomainError::Denied(Denial::AuthorizationRequired)) => return Err(not_found()),
        Err(error) => return Err(Problem::of(error, owner.pool())),
    };
    let view = ImpersonateView {
        csrf: owner.visit.csrf(),
        pool: owner.visit.pool_name(),
        user: user.to_string(),
        name: name(&found),
        reason: reason.to_owned(),
        errors,
    };
    owner
        .visit
        .page(status, owner.visit.request.pages.impersonate(&view))
}

/// Who is no administrator hears what there is to hear of a page that is not there.
fn not_found() -> Problem {
    Problem::not_found("There is no such page.")
}
