//! `authPath` of a local entry: name and password under the names the file gives them, as a form or JSON.

use domain::credential::Password;
use domain::error::Denial;
use domain::flow::login::Terms;
use domain::service::{Credentials, LoggedIn, LoginName};
use domain::session::TokenLife;
use serde_json::{Map, Value};

use super::directory::text;
use super::{outcome, place, refusal, start};
use crate::entries::{EntryKind, WebEntry};
use crate::extract::query::Query;
use crate::extract::{Request, body, origin};
use crate::pages;
use crate::problem::Problem;
use crate::reply::Reply;

/// `GET`: people go to the login page, whose form does the same.
pub fn show(request: &Request, entry: &WebEntry) -> Result<Reply, Problem> {
    if !pages::is_wanted(&request.headers) {
        return Err(super::no_such_method(request));
    }
    let query = Query::parse(&request.query);
    let pool = Some(entry.pool.as_str()).filter(|_| entry.pool != request.app.settings.default_pool);
    let return_to = query.one("returnTo").or_else(|| query.one("return_to"));
    let pairs = [
        ("pool", pool),
        ("return_to", return_to.and_then(pages::place::local)),
    ];
    Ok(Reply::see_other(&pages::place::url("/login", &pairs)))
}

/// `POST`: in, or on to the code. A browser must send it from our own pages or a listed origin.
pub async fn log_in(mut request: Request, entry: &WebEntry) -> Result<Reply, Problem> {
    let EntryKind::Local {
        username_field,
        password_field,
        ..
    } = &entry.kind
    else {
        return Err(Problem::internal("a provider's entry where a local one belongs"));
    };
    if !origin::is_own(&request) {
        return Err(pages::form::stale());
    }
    let mut fields = body::read(&mut request).await?.object()?;
    let credentials = credentials(&mut fields, username_field, password_field)?;
    let pool = start::pool_of(&request, entry)?;
    let return_to = return_to(&request, pool.model.as_str())?;
    let services = &request.app.services;
    let terms = Terms::of(TokenLife::Finite(pool.ttl));
    let logged_in = match credentials {
        Some(credentials) => {
            services
                .login_or_request_code(pool, &credentials, terms, request.origin())
                .await
        }
        None => Err(Denial::UsernameOrEmailRequired.into()),
    };
    match logged_in {
        Ok(LoggedIn::Opened(token)) => {
            outcome::logged_in(&request, entry, return_to.as_deref(), &token).await
        }
        Ok(LoggedIn::AwaitingCode(requested)) => {
            outcome::awaiting(&request, entry, return_to.as_deref(), requested)
        }
        Err(error) => refusal::refuse(&request, entry, Problem::of(error, pool)),
    }
}

/// A place of this site: a password opens a session here and nowhere else.
fn return_to(request: &Request, model: &str) -> Result<Option<String>, Problem> {
    let query = Query::parse(&request.query);
    let Some(text) = query.one("returnTo").or_else(|| query.one("return_to")) else {
        return Ok(None);
    };
    let place = place::judge(text, &request.app.settings).ok();
    let own = place
        .filter(|place| !place.elsewhere)
        .map(|place| Some(place.address));
    own.ok_or_else(|| Problem::of_denial(&Denial::ReturnNotAllowed, model))
}

/// What was sent; none without a name. A missing password is a wrong one: it costs and counts the same.
fn credentials(
    fields: &mut Map<String, Value>,
    username_field: &str,
    password_field: &str,
) -> Result<Option<Credentials>, Problem> {
    let name = text(fields, username_field)?.filter(|name| !name.is_empty());
    let password = text(fields, password_field)?.unwrap_or_default();
    let realm = text(fields, "realm")?;
    Ok(name.map(|name| Credentials {
        realm,
        name: LoginName::typed(&name),
        password: Password::typed(&password),
    }))
}
