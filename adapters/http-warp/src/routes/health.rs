//! For those who run the server: is it alive, is it ready, what did it do.

use domain::time::Lifetime;
use http::StatusCode;
use serde_json::json;

use super::Matched;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// When to look again.
const SOON: Lifetime = Lifetime::from_secs(1);

/// `GET /healthz`: the process answers.
pub async fn alive(_: Request, _: Matched) -> Result<Reply, Problem> {
    Ok(Reply::json(StatusCode::OK, &json!({ "status": "ok" })))
}

/// `GET /readyz`: what we depend on answers too. What does not is named by its kind; where it is and what it said stand in the log,
/// and are nothing for strangers.
pub async fn ready(request: Request, _: Matched) -> Result<Reply, Problem> {
    match request.app.readiness.ready().await {
        Ok(()) => Ok(Reply::json(StatusCode::OK, &json!({ "status": "ready" }))),
        Err(fault) => {
            let message = format!("Not ready: no answer from {}", fault.down.join(" and "));
            Err(Problem {
                message,
                ..Problem::unavailable(SOON, fault.cause)
            })
        }
    }
}

/// `GET /metrics`: counters for Prometheus, to callers on this machine alone; a proxy in front counts as elsewhere.
pub async fn metrics(request: Request, _: Matched) -> Result<Reply, Problem> {
    let forwarded =
        request.headers.contains_key("x-forwarded-for") || request.headers.contains_key("forwarded");
    if forwarded || !request.peer.addr.ip().is_loopback() {
        return Err(Problem::not_found("Cannot GET /metrics"));
    }
    Ok(Reply::bytes(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        request.app.metrics.render(),
    ))
}
