//! Who calls.

use domain::flow::impersonate::Doing;
use domain::id::PoolName;
use domain::policy::PoolPolicy;
use domain::service::{Authenticated, Authentication};
use http::Method;

use crate::extract::Request;
use crate::extract::access_token::{self, Presented, Source};
use crate::extract::cookies::Jar;
use crate::extract::origin;
use crate::extract::query::Query;
use crate::problem::Problem;

/// What the presented token made of the caller.
pub enum Called {
    /// No token, or one that opens nothing here.
    Anonymously,
    /// With a token whose life is over.
    TooLate,
    /// Logged in.
    By(Box<Authenticated>),
}

impl Called {
    /// The logged-in caller, if there is one.
    pub fn into_live(self) -> Option<Box<Authenticated>> {
        match self {
            Self::By(caller) => Some(caller),
            Self::Anonymously | Self::TooLate => None,
        }
    }
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

fn in_any_pool(request: &Request, error: domain::error::DomainError) -> Problem {
    let pool: Option<&PoolPolicy> = request.app.services.policy().pools.values().next();
    match (pool, error) {
        (Some(pool), error) => Problem::of(error, pool),
        (None, error) => Problem::internal(error.to_string()),
    }
}
