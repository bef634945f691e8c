//! `GET /auth/check`: a reverse proxy asks whether it may let a request through.

use std::borrow::Cow;

use bytes::Bytes;
use domain::id::RoleName;
use http::{HeaderMap, HeaderName, StatusCode};

use super::Matched;
use super::users::caller;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

static X_USER_ID: HeaderName = HeaderName::from_static("x-user-id");
static X_USER_EMAIL: HeaderName = HeaderName::from_static("x-user-email");
static X_USER_POOL: HeaderName = HeaderName::from_static("x-user-pool");
static X_USER_ROLES: HeaderName = HeaderName::from_static("x-user-roles");
/// These and what every answer carries: room for all of them at once.
const FIELDS: usize = 12;

/// 200 with `X-User-Id`, `X-User-Email`, `X-User-Roles` and `X-User-Pool` for a live token of any pool, else 401. It never changes
/// anything, so a cookie is enough.
pub async fn check(request: Request, _: Matched) -> Result<Reply, Problem> {
    let Some(caller) = caller::for_proxy(&request).await?.into_live() else {
        return Err(Problem::authorization_required());
    };
    let user = &caller.user;
    let roles = request.app.services.roles_of(user).await;
    let roles = roles.map_err(|error| Problem::of_port(&error))?;
    let email = user.email.as_ref().map_or("", |email| email.as_str());
    let reply = Reply {
        status: StatusCode::OK,
        headers: HeaderMap::with_capacity(FIELDS),
        body: Bytes::new(),
    };
    Ok(reply
        .header(X_USER_ID.clone(), user.key.id.as_str())
        .header(X_USER_EMAIL.clone(), &ascii(email))
        .header(X_USER_POOL.clone(), user.key.pool.as_str())
        .header(X_USER_ROLES.clone(), &ascii(&listed(&roles))))
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
