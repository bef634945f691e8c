//! `GET /auth/check`: a reverse proxy asks whether it may let a request through.

use http::{HeaderName, StatusCode};

use super::Matched;
use super::users::caller;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with `X-User-Id`, `X-User-Email`, `X-User-Roles` and `X-User-Pool` for a live token of any pool, else 401. It never changes
/// anything, so a cookie is enough.
pub async fn check(request: Request, _: Matched) -> Result<Reply, Problem> {
    let Some(caller) = caller::of(&request, None).await?.into_live() else {
        return Err(Problem::authorization_required());
    };
    let user = &caller.user;
    let email = user.email.as_ref().map_or("", |email| email.as_str());
    Ok(Reply::empty(StatusCode::OK)
        .header(HeaderName::from_static("x-user-id"), user.key.id.as_str())
        .header(HeaderName::from_static("x-user-email"), &ascii(email))
        .header(HeaderName::from_static("x-user-pool"), user.key.pool.as_str())
        .header(HeaderName::from_static("x-user-roles"), ""))
}

/// A header value can hold no other letters: an internationalised address is percent-encoded.
fn ascii(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::CONTROLS).to_string()
}
