//! Who is logged in on the pages: by the session cookie and by nothing else.

use domain::error::{Denial, DomainError};
use domain::flow::impersonate::Doing;
use domain::secret::Token;
use domain::service::{Authenticated, Authentication};
use domain::session::AccessToken;
use http::Method;

use super::csrf::Csrf;
use super::external::onward;
use super::keep::{self, LONGEST_COOKIE};
use super::place;
use super::visit::Visit;
use crate::extract::Request;
use crate::extract::cookies::{Cookie, Jar};
use crate::problem::Problem;
use crate::reply::Reply;

/// Longest text taken for a token.
const LONGEST: usize = 1024;

/// The logged-in user of this browser: to show them a page, or for whatever a form of ours asks.
///
/// # Errors
/// 403 for a form that an administrator sends in somebody's place; when a store does not answer.
pub async fn current(request: &Request) -> Result<Option<Authenticated>, Problem> {
    let doing = match request.method {
        Method::GET | Method::HEAD => Doing::Look,
        _ => Doing::Act,
    };
    of_cookie(request, Cookie::Session, doing).await
}

/// Whoever the token in a cookie is of.
///
/// # Errors
/// As [`current`].
pub async fn of_cookie(
    request: &Request,
    cookie: Cookie,
    doing: Doing<'_>,
) -> Result<Option<Authenticated>, Problem> {
    let Some(token) = token_in(request, cookie) else {
        return Ok(None);
    };
    let services = &request.app.services;
    match services.authenticate_for(&token, None, doing).await {
        Ok(Authentication::Live(caller)) => Ok(Some(*caller)),
        Ok(Authentication::Expired | Authentication::Anonymous) => Ok(None),
        Err(DomainError::Denied(denial)) => Err(Problem::of_denial(&denial, "")),
        Err(DomainError::Port(error)) => Err(Problem::of_port(&error)),
    }
}

/// The token in a cookie of this browser.
pub fn token_in(request: &Request, cookie: Cookie) -> Option<Token> {
    let jar = Jar::new(request.app.settings.is_https());
    let text = jar.read(&request.headers, cookie)?;
    (text.len() <= LONGEST).then(|| Token::presented(text))
}

/// Lets somebody in: always with a new token and a new anti-forgery value; the session this browser had before ends.
///
/// # Errors
/// When a store does not answer.
pub async fn open(visit: &Visit<'_>, opened: &AccessToken) -> Result<Reply, Problem> {
    let_in(visit, opened, Reply::see_other(visit.destination())).await
}

/// The same after a form of ours whose destination may lie elsewhere.
///
/// # Errors
/// As [`open`]; 500 when the template failed.
pub async fn open_from_form(visit: &Visit<'_>, opened: &AccessToken) -> Result<Reply, Problem> {
    let_in(visit, opened, onward(visit, visit.destination())?).await
}

async fn let_in(visit: &Visit<'_>, opened: &AccessToken, reply: Reply) -> Result<Reply, Problem> {
    end(visit.request).await?;
    let reply = hand_over(visit, opened, reply);
    let jar = visit.jar();
    Ok([Cookie::Pending, Cookie::Own]
        .into_iter()
        .fold(reply, |reply, cookie| reply.cookie(&jar.clear(cookie))))
}

/// The session of this browser goes on under a new token: the old one is over already.
pub fn renew(visit: &Visit<'_>, renewed: &AccessToken, place: &str) -> Reply {
    hand_over(visit, renewed, Reply::see_other(place))
}

/// The cookies of a session: its token, the device's own where it has a new one, and a new anti-forgery value.
fn hand_over(visit: &Visit<'_>, opened: &AccessToken, reply: Reply) -> Reply {
    let jar = visit.jar();
    let age = keep::cookie_age(visit.pool, opened.session.life);
    let reply = reply.cookie(&jar.set(Cookie::Session, opened.secret.expose(), age));
    let reply = match &opened.device {
        Some(device) => reply.cookie(&jar.set(Cookie::Device, device.expose(), Some(LONGEST_COOKIE))),
        None => reply,
    };
    Csrf::draw(&visit.request.app.services).dress(reply, jar)
}

/// Ends the session of this browser, if it has one, and says whose it was. Where an administrator acts as somebody else, their own session
/// ends with it.
///
/// # Errors
/// When a store does not answer.
pub async fn end(request: &Request) -> Result<Option<Authenticated>, Problem> {
    let ended = end_of_cookie(request, Cookie::Session).await?;
    end_of_cookie(request, Cookie::Own).await?;
    Ok(ended)
}

/// Ends the session of the token in a cookie, if there is one, and says whose it was.
///
/// # Errors
/// When a store does not answer.
pub async fn end_of_cookie(request: &Request, cookie: Cookie) -> Result<Option<Authenticated>, Problem> {
    let Some(caller) = of_cookie(request, cookie, Doing::Leave).await? else {
        return Ok(None);
    };
    let services = &request.app.services;
    let pool = services
        .pool(&caller.user.key.pool)
        .ok_or_else(|| Problem::internal("a session of no pool"))?;
    match services.log_out(pool, Some(&caller), request.origin()).await {
        Ok(()) | Err(DomainError::Denied(Denial::AccessTokenRequired)) => Ok(Some(caller)),
        Err(error) => Err(Problem::of(error, pool)),
    }
}

/// Sends somebody who is not logged in to the login page, and back to their account from there.
pub fn log_in_first(request: &Request) -> Reply {
    let jar = Jar::new(request.app.settings.is_https());
    Reply::see_other(&place::url("/login", &[("return_to", Some(place::HOME))]))
        .cookie(&jar.clear(Cookie::Session))
}
