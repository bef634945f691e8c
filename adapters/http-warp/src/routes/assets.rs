//! The stylesheet, and the team's own files.

use http::StatusCode;

use super::Matched;
use crate::extract::Request;
use crate::pages::render::STYLESHEET;
use crate::problem::Problem;
use crate::reply::Reply;

/// `GET /assets/portcullis.css`.
#[expect(clippy::unused_async, reason = "every handler has one shape")]
pub async fn stylesheet(_: Request, _: Matched) -> Result<Reply, Problem> {
    Ok(Reply::bytes(
        StatusCode::OK,
        "text/css; charset=utf-8",
        STYLESHEET,
    ))
}

/// A file of the team, or 404.
#[expect(clippy::unused_async, reason = "every handler has one shape")]
pub async fn file_or_not_found(request: Request, _: Matched) -> Result<Reply, Problem> {
    Err(Problem::not_found(format!("Cannot {}", request.method)))
}

/// The team's own start page, if there is one.
#[expect(clippy::unused_async, reason = "every handler has one shape")]
pub async fn index(_: &Request) -> Option<Reply> {
    None
}
