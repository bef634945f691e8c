//! `GET /`: people go to their page, programs get LoopBack's status.

use http::StatusCode;
use http::header::ACCEPT;
use serde_json::json;

use super::{Matched, assets};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// A team's own `index.html` if there is one; else people are led to the login page and everyone else hears when the server began.
pub async fn root(request: Request, _: Matched) -> Result<Reply, Problem> {
    if let Some(reply) = assets::index(&request).await {
        return Ok(reply);
    }
    if request
        .header(&ACCEPT)
        .is_some_and(|accept| accept.contains("text/html"))
    {
        return Ok(Reply::see_other("/account"));
    }
    let started = request.app.started;
    let uptime = request.app.services.now().since(started).as_secs_f64();
    Ok(Reply::json(
        StatusCode::OK,
        &json!({ "started": started.to_iso8601(), "uptime": uptime }),
    ))
}
