//! `GET /auth/check`: a reverse proxy asks whether it may let a request through.

use std::borrow::Cow;

use bytes::Bytes;
use domain::access::Subject;
use domain::application::Application;
use domain::error::DomainError;
use domain::flow::impersonate::Doing;
use domain::id::RoleName;
use domain::service::Authenticated;
use domain::user::User;
use http::{HeaderMap, HeaderName, StatusCode};

use super::Matched;
use super::external::X_APPLICATION_ID;
use super::guard::Guard;
use super::users::caller::{self, Called};
use crate::extract::Request;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;

static X_USER_ID: HeaderName = HeaderName::from_static("x-user-id");
static X_USER_EMAIL: HeaderName = HeaderName::from_static("x-user-email");
static X_USER_POOL: HeaderName = HeaderName::from_static("x-user-pool");
static X_USER_ROLES: HeaderName = HeaderName::from_static("x-user-roles");
static X_USER_IMPERSONATOR: HeaderName = HeaderName::from_static("x-user-impersonator");
static X_USER_JWT: HeaderName = HeaderName::from_static("x-user-jwt");
/// These and what every answer carries: room for all of them at once.
const FIELDS: usize = 15;

/// 200 with `X-User-Id`, `X-User-Email`, `X-User-Roles` and `X-User-Pool` for a live token, else 401; where an administrator acts in
/// the user's place, `X-User-Impersonator` says who. The query may ask for more: a role, what the access rules say, a pool; whoever is
/// logged in and may not hears 403. What is asked for by role or rule an application may have, too: `X-Application-Id` says which it was,
/// with the user it calls for, or with none. The query may ask for a signed token, which comes along as `X-User-Jwt`. It never changes
/// anything, so a cookie is enough.
pub async fn check(request: Request, _: Matched) -> Result<Reply, Problem> {
    let services = &request.app.services;
    let pools = |name: &str| {
        let mut known = services.policy().pools.keys();
        known.find(|pool| pool.as_str() == name).cloned()
    };
    let guard = Guard::of(&Query::parse(&request.query), pools)?;
    // Who is asked for a role must not have it from half a second ago.
    let presented = if guard.is_plain() {
        caller::for_proxy(&request).await?
    } else {
        caller::of(&request, guard.pool.as_ref(), Doing::Look).await?
    };
    let caller = match presented {
        Called::By(caller) => Some(caller),
        Called::Anonymously => None,
        Called::TooLate => return Err(Problem::authorization_required()),
    };
    let application = caller::application(&request).await?;
    let user = caller.as_deref().map(|caller| &caller.user);
    if user.is_none() && (application.is_none() || guard.wants_a_session()) {
        return Err(Problem::authorization_required());
    }
    let roles = match user {
        Some(user) if guard.is_plain() => {
            let roles = services.roles_of(user).await;
            roles.map_err(|error| Problem::of_port(&error))?
        }
        _ => judged(&request, &guard, user, application.as_ref()).await?,
    };
    let reply = told(caller.as_deref(), application.as_ref(), &roles);
    Ok(match (&guard.jwt, caller.as_deref()) {
        (Some(service), Some(caller)) => {
            reply.header(X_USER_JWT.clone(), &signed(&request, caller, service).await?)
        }
        _ => reply,
    })
}

fn told(caller: Option<&Authenticated>, application: Option<&Application>, roles: &[RoleName]) -> Reply {
    let mut reply = Reply {
        status: StatusCode::OK,
        headers: HeaderMap::with_capacity(FIELDS),
        body: Bytes::new(),
    };
    if let Some(caller) = caller {
        let user = &caller.user;
        let impersonator = caller.session.impersonator.as_ref();
        let email = user.email.as_ref().map_or("", |email| email.as_str());
        reply = reply
            .header(X_USER_ID.clone(), user.key.id.as_str())
            .header(X_USER_EMAIL.clone(), &ascii(email))
            .header(X_USER_POOL.clone(), user.key.pool.as_str())
            .header(X_USER_ROLES.clone(), &ascii(&listed(roles)))
            // Always there: of a header that is not, Caddy hands the name of its own variable on.
            .header(
                X_USER_IMPERSONATOR.clone(),
                impersonator.map_or("", |by| by.user.id.as_str()),
            );
    }
    match application {
        Some(application) => reply.header(X_APPLICATION_ID.clone(), application.id.as_str()),
        None => reply,
    }
}

/// The user's own roles, if the guard lets them through, or the application that calls.
async fn judged(
    request: &Request,
    guard: &Guard,
    user: Option<&User>,
    application: Option<&Application>,
) -> Result<Vec<RoleName>, Problem> {
    let app = &request.app;
    let access = app.services.access().await;
    let access = access.map_err(|error| Problem::of_port(&error))?;
    let pool = guard.pool.as_ref().or_else(|| app.services.policy().admin_pool());
    let subject = Subject::of(user, application, pool, &access);
    if guard.lets(app, &access, &subject) {
        Ok(user.map(|user| access.roles_of(user)).unwrap_or_default())
    } else {
        Err(Problem::new(StatusCode::FORBIDDEN, "Access Denied").coded("ACCESS_DENIED"))
    }
}

/// A token that the service can check by itself, whoever passes it on.
async fn signed(request: &Request, caller: &Authenticated, service: &str) -> Result<String, Problem> {
    let services = &request.app.services;
    match services.sign_token(caller, Some(service)).await {
        Ok(signed) => Ok(signed.token.expose().to_owned()),
        Err(DomainError::Port(error)) => Err(Problem::of_port(&error)),
        Err(DomainError::Denied(_)) => Err(Problem::bad_request(
            "jwt names no service that tokens are signed for",
        )),
    }
}

/// One after the other, by commas; a comma within a name is percent-encoded.
fn listed(names: &[RoleName]) -> String {
    let names = names
        .iter()
        .map(|role| role.as_str().replace('%', "%25").replace(',', "%2C"));
    names.collect::<Vec<_>>().join(",")
}

/// A header value can hold no other letters: an internationalised address is percent-encoded.
fn ascii(text: &str) -> Cow<'_, str> {
    percent_encoding::utf8_percent_encode(text, percent_encoding::CONTROLS).into()
}
