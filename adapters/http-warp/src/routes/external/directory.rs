//! `authPath` of an entry whose names and passwords somebody else judges (LDAP, Kerberos): a form, and what comes of it.

use std::time::Duration;

use domain::error::{Denial, DomainError};
use domain::flow::login::directory::Typed;
use domain::policy::PoolPolicy;
use domain::secret::Secret;
use domain::service::{AuthorizationAsk, ProofAsk};
use http::StatusCode;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep_until};

use super::{link, outcome, refusal, start};
use crate::entries::{CredentialFields, WebEntry};
use crate::extract::{Request, body, origin};
use crate::pages;
use crate::problem::Problem;
use crate::reply::Reply;

/// How soon it is said that a name and a password do not fit. Directories take longer to compare a password than to say that there is
/// nobody of that name: how long they took must not tell the two apart.
const EVEN: Duration = Duration::from_millis(300);

/// `GET`: a form for people.
pub fn show(request: &Request, entry: &WebEntry) -> Result<Reply, Problem> {
    if !pages::is_wanted(&request.headers) {
        return Err(super::no_such_method(request));
    }
    pages::external::directory::show(request, entry, StatusCode::OK, None)
}

/// `POST`: a name and a password, by a form or in JSON.
pub async fn log_in(
    mut request: Request,
    entry: &WebEntry,
    fields: &CredentialFields,
) -> Result<Reply, Problem> {
    if !origin::is_own(&request) {
        return Err(pages::form::stale());
    }
    let sent = body::read(&mut request).await?.object()?;
    by_password(&request, entry, fields, sent).await
}

/// The same for a body that was read.
pub async fn by_password(
    request: &Request,
    entry: &WebEntry,
    fields: &CredentialFields,
    mut sent: Map<String, Value>,
) -> Result<Reply, Problem> {
    let begun = Instant::now();
    let name = text(&mut sent, &fields.username)?.unwrap_or_default();
    let password = text(&mut sent, &fields.password)?.unwrap_or_default();
    let csrf = text(&mut sent, "csrf")?;
    let pool = start::pool_of(request, entry)?.clone();
    let ask = match asked(request, entry, &pool, csrf.as_deref()).await? {
        Asked::Ask(ask) => ask,
        Asked::Answer(reply) => return Ok(reply),
    };
    if name.trim().is_empty() {
        let denial = Denial::UsernameOrEmailRequired.into();
        return refuse(request, entry, denial, &name, &pool);
    }
    let typed = Typed {
        name: name.clone(),
        password: Secret::new(password),
    };
    let services = &request.app.services;
    match services
        .finish_by_password(&entry.name, typed, *ask, request.origin())
        .await
    {
        Ok(finished) => match outcome::settle(request, entry, finished).await {
            Ok(reply) => Ok(reply),
            Err(problem) => refusal::refuse(request, entry, problem),
        },
        Err(error) => {
            if matches!(error, DomainError::Denied(Denial::LoginFailed)) {
                sleep_until(begun + EVEN).await;
            }
            refuse(request, entry, error, &name, &pool)
        }
    }
}

/// What a proof is asked for, or what stands in its way.
pub enum Asked {
    /// That.
    Ask(Box<ProofAsk>),
    /// Something comes first.
    Answer(Reply),
}

/// Where a proof leads, and who links by it.
pub async fn asked(
    request: &Request,
    entry: &WebEntry,
    pool: &PoolPolicy,
    csrf: Option<&str>,
) -> Result<Asked, Problem> {
    let AuthorizationAsk {
        return_to,
        code_challenge,
        ..
    } = match start::ask(request, entry, pool).await {
        Ok(ask) => ask,
        Err(problem) => return refusal::plain(request, entry, problem).map(Asked::Answer),
    };
    let caller = if entry.link {
        match link::caller_with(request, entry, csrf).await? {
            link::Linker::Known(caller) => Some(caller.into_authenticated()),
            link::Linker::Answer(reply) => return Ok(Asked::Answer(reply)),
        }
    } else {
        None
    };
    Ok(Asked::Ask(Box::new(ProofAsk {
        caller,
        return_to,
        code_challenge,
    })))
}

/// People get the form once more, with what was wrong, unless the entry has a place of its own for that.
fn refuse(
    request: &Request,
    entry: &WebEntry,
    error: DomainError,
    name: &str,
    pool: &PoolPolicy,
) -> Result<Reply, Problem> {
    let about_the_form = matches!(
        error,
        DomainError::Denied(Denial::LoginFailed | Denial::UsernameOrEmailRequired)
    );
    let problem = Problem::of(error, pool);
    let for_people = !super::is_program(request, entry) && pages::is_wanted(&request.headers);
    if about_the_form && for_people && entry.failure_redirect.is_none() {
        return pages::external::directory::show(request, entry, problem.status, Some(name));
    }
    refusal::refuse(request, entry, problem)
}

/// A text: whatever else JSON can hold is refused.
pub fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, Problem> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Problem::bad_request(format!("{name} must be a string"))),
    }
}
