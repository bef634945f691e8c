//! Who calls.

use domain::application::Application;
use domain::error::DomainError;
use domain::flow::impersonate::Doing;
use domain::id::{ApplicationId, PoolName};
use domain::policy::PoolPolicy;
use domain::secret::Token;
use domain::service::{Authenticated, Authentication};
use http::Method;

use crate::extract::Request;
use crate::extract::access_token::{self, Presented, Source};
use crate::extract::cookies::Jar;
use crate::extract::origin;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::routes::external::in_headers;

/// What the presented token made of the caller.
pub enum Called {
    /// No token, or one that opens nothing here.
    Anonymously,
    /// With a token whose life is over.
    TooLate,
    /// Logged in.
    By(Box<Authenticated>),
}

/// How old what a caller is judged by may be.
#[derive(Clone, Copy)]
enum Age<'a> {
    /// As stored now, for this.
    Now(Doing<'a>),
    /// As [`domain::service::Services::check_token`] allows.
    Recent,
}

/// Finds out who calls, within one pool or within any, and what for: not everything is open to whoever acts in somebody's place. A cookie
/// opens nothing that changes something unless the request was sent by our own pages or an allowed origin.
pub async fn of(request: &Request, pool: Option<&PoolName>, doing: Doing<'_>) -> Result<Called, Problem> {
    find(request, pool, Age::Now(doing)).await
}

/// Finds out who calls, of any pool, for a proxy that asks about every request and decides nothing else by the answer.
pub async fn for_proxy(request: &Request) -> Result<Called, Problem> {
    find(request, None, Age::Recent).await
}

async fn find(request: &Request, pool: Option<&PoolName>, age: Age<'_>) -> Result<Called, Problem> {
    let Some(presented) = presented(request) else {
        return Ok(Called::Anonymously);
    };
    let safe = matches!(request.method, Method::GET | Method::HEAD);
    if presented.source == Source::Cookie && !safe && !origin::is_own(request) {
        return Ok(Called::Anonymously);
    }
    let services = &request.app.services;
    for reading in &presented.readings {
        let judged = match age {
            Age::Now(doing) => services.authenticate_for(reading, pool, doing).await,
            Age::Recent => services.check_token(reading, pool).await,
        };
        match judged {
            Ok(Authentication::Live(caller)) => return Ok(Called::By(caller)),
            Ok(Authentication::Expired) => return Ok(Called::TooLate),
            Ok(Authentication::Anonymous) => {}
            Err(error) => return Err(in_any_pool(request, error)),
        }
    }
    Ok(Called::Anonymously)
}

/// The application that calls, if one says so in its headers.
///
/// # Errors
/// 401 where it does not prove it by a key that is a secret: whoever says what they are is not judged as if they had said nothing.
pub async fn application(request: &Request) -> Result<Option<Application>, Problem> {
    let Some((id, key)) = in_headers(request) else {
        return Ok(None);
    };
    let services = &request.app.services;
    let proven = services
        .prove_application(&ApplicationId::new(id), &Token::presented(key), request.origin())
        .await;
    match proven {
        Ok(application) => Ok(Some(application)),
        Err(DomainError::Denied(denial)) => Err(Problem::of_denial(&denial, "Application")),
        Err(DomainError::Port(error)) => Err(Problem::of_port(&error)),
    }
}

/// The token as presented, whatever it is for: also reset tokens come this way.
pub fn presented(request: &Request) -> Option<Presented> {
    let settings = &request.app.settings;
    let query = Query::parse(&request.query);
    access_token::find(
        &request.headers,
        &query,
        settings.query_token,
        Jar::new(settings.is_https()),
        settings.legacy_cookies.as_ref(),
    )
}

fn in_any_pool(request: &Request, error: DomainError) -> Problem {
    let pool: Option<&PoolPolicy> = request.app.services.policy().pools.values().next();
    match (pool, error) {
        (Some(pool), error) => Problem::of(error, pool),
        (None, error) => Problem::internal(error.to_string()),
    }
}
