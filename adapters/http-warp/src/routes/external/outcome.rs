//! What came of a way to a provider, as an answer.

use domain::error::Denial;
use domain::flow::login::CodeRequested;
use domain::id::IdentityId;
use domain::secret::Token;
use domain::service::{Authenticated, Finished, Outcome};
use domain::session::AccessToken;
use domain::user::{FactorKind, User};
use http::StatusCode;
use serde_json::json;

use super::{after_success, legacy, place, start};
use crate::entries::WebEntry;
use crate::extract::Request;
use crate::pages;
use crate::pages::pending::{Awaited, Pending};
use crate::pages::visit::Visit;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::wire_id::WireId;

/// Answers an authorization that ended well, or nearly.
///
/// # Errors
/// For programs, what is still to be done: 401 `SECOND_FACTOR_REQUIRED`, 409 `ACCOUNT_EXISTS`.
pub async fn settle(request: &Request, entry: &WebEntry, finished: Finished) -> Result<Reply, Problem> {
    let return_to = finished.return_to.as_deref();
    match finished.outcome {
        Outcome::LoggedIn(token) => logged_in(request, entry, return_to, &token).await,
        Outcome::AwaitingCode(requested) => awaiting(request, entry, return_to, requested),
        Outcome::Exchange(code) => Ok(exchange(entry, return_to, &code)),
        Outcome::Linked { user, identity } => Ok(linked(entry, return_to, &user, &identity)),
        Outcome::AccountExists { join, methods } => {
            let pool = start::pool_of(request, entry)?;
            if super::is_program(request, entry) {
                return Err(Problem::of_denial(
                    &Denial::AccountExists { join, methods },
                    &pool.model,
                ));
            }
            Ok(pages::external::offer_join(request, pool, &join))
        }
    }
}

/// Lets somebody in: programs get the token, browsers a session of their own.
///
/// # Errors
/// When a store does not answer.
pub async fn logged_in(
    request: &Request,
    entry: &WebEntry,
    return_to: Option<&str>,
    token: &AccessToken,
) -> Result<Reply, Problem> {
    let user = token.session.user.id.as_str();
    if entry.json {
        if entry.auto_login {
            let body = json!({ "access_token": token.secret.expose(), "userId": WireId(user) });
            return Ok(Reply::json(StatusCode::OK, &body));
        }
        // `autoLogin: false` says who it is and opens nothing.
        close(request, entry, token).await?;
        return Ok(Reply::json(StatusCode::OK, &json!({ "userId": WireId(user) })));
    }
    let visit = Visit::within(request, &entry.pool)?;
    let mut reply = pages::session::open(&visit, token).await?;
    reply.status = StatusCode::FOUND;
    let place = return_to.unwrap_or_else(|| after_success(entry));
    let reply = reply.header(http::header::LOCATION, &place::in_location(place));
    Ok(legacy::dress(request, entry, token, reply))
}

async fn close(request: &Request, entry: &WebEntry, token: &AccessToken) -> Result<(), Problem> {
    let pool = start::pool_of(request, entry)?;
    let opened = Authenticated {
        user: token.user.clone(),
        session: token.session.clone(),
    };
    let services = &request.app.services;
    let closed = services.log_out(pool, Some(&opened), request.origin()).await;
    closed.map_err(|error| Problem::of(error, pool))
}

/// A second factor is due: people go on to its page, programs hear what continues.
///
/// # Errors
/// For programs, [`awaiting_code`].
pub fn awaiting(
    request: &Request,
    entry: &WebEntry,
    return_to: Option<&str>,
    requested: CodeRequested,
) -> Result<Reply, Problem> {
    if super::is_program(request, entry) {
        return Err(awaiting_code(requested));
    }
    let challenge = requested
        .challenge
        .ok_or_else(|| Problem::internal("a first code without a challenge"))?;
    let visit = Visit::within(request, &entry.pool)?.leading_on_to(return_to.map(str::to_owned));
    let sent_to = requested.sent_to.as_deref();
    let pending = Pending::new(Awaited::Login, visit.pool, challenge, sent_to);
    // Where its success leads is looked up by the entry's name once the code is right.
    let pending = pending.begun_by(Some(entry.name.clone()));
    let reply = Reply::found(&visit.url("/two-factor", None));
    Ok(pending.keep(reply, visit.pool, visit.jar()))
}

/// 401 `SECOND_FACTOR_REQUIRED` for a code that is on its way.
pub fn awaiting_code(requested: CodeRequested) -> Problem {
    let denial = Denial::SecondFactorRequired {
        methods: FactorKind::names(&requested.methods),
        enrols: FactorKind::names(&requested.enrols),
        challenge: requested.challenge,
    };
    Problem::of_denial(&denial, "")
}

/// The session waits: its client is told the code that fetches it, never the token.
fn exchange(entry: &WebEntry, return_to: Option<&str>, code: &Token) -> Reply {
    match return_to {
        None if entry.json => Reply::json(StatusCode::OK, &json!({ "code": code.expose() })),
        place => {
            let place = place.unwrap_or_else(|| after_success(entry));
            Reply::found(&place::in_location(&place::with_code(place, code)))
        }
    }
}

fn linked(entry: &WebEntry, return_to: Option<&str>, user: &User, identity: &IdentityId) -> Reply {
    if entry.json {
        let body = json!({ "userId": WireId(user.key.id.as_str()), "identityId": WireId(identity.as_str()) });
        return Reply::json(StatusCode::OK, &body);
    }
    let place = return_to.unwrap_or_else(|| after_success(entry));
    Reply::found(&place::in_location(place))
}
