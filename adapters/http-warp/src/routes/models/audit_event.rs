//! `/api/AuditEvents`: what was written down about security, for administrators.

use domain::audit::{AuditEvent, AuditKind, AuditQuery, NetworkHash};
use domain::id::PoolName;
use domain::origin::RequestId;
use domain::ports::PageMark;
use domain::time::Timestamp;
use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;

/// Events of an answer without a `limit`.
const USUAL: usize = 100;
/// Most events of one answer.
const MOST: usize = 500;

/// What may stand in the query.
const NAMES: [&str; 8] = [
    "pool",
    "user",
    "kind",
    "since",
    "until",
    "limit",
    "after",
    "access_token",
];

/// 200 with `{"events", "next"}`, newest first; `next` is sent as `after` for the page behind it, and absent behind the last.
pub async fn find(call: Call) -> Result<Reply, Problem> {
    let query = call.query();
    let unknown = query
        .pairs()
        .iter()
        .find(|(name, _)| !NAMES.contains(&name.as_str()));
    if unknown.is_some() {
        let sentence = "events are asked for by pool, user, kind, since and until, with limit and after";
        return Err(Problem::bad_request(sentence));
    }
    let wanted = wanted(&call, &query).await?;
    let limit = match query.one("limit") {
        None => USUAL,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| Problem::bad_request("limit must be a number from 1 to 500"))?,
    };
    let after = query.one("after").map(|mark| PageMark(mark.to_owned()));
    let page = call.services().audit(&wanted, after.as_ref(), limit).await;
    let page = page.map_err(|error| call.problem(error))?;
    let events: Vec<Value> = page.events.iter().map(record).collect();
    let mut answer = json!({ "events": events });
    if let (Some(next), Some(answer)) = (page.next, answer.as_object_mut()) {
        answer.insert("next".to_owned(), json!(next.0));
    }
    Ok(Reply::json(StatusCode::OK, &answer))
}

async fn wanted(call: &Call, query: &Query) -> Result<AuditQuery, Problem> {
    let services = call.services();
    let pool = match query.one("pool") {
        None => None,
        Some(name) => Some(
            services
                .pool(&PoolName::new(name))
                .ok_or_else(|| Problem::bad_request("there is no such pool"))?,
        ),
    };
    let user = match query.one("user") {
        None => None,
        Some(text) => {
            let usual = services
                .policy()
                .admin_pool()
                .and_then(|name| services.pool(name));
            let pool = pool
                .or(usual)
                .ok_or_else(|| Problem::bad_request("there is no such pool"))?;
            let meant = services.user_meant(pool, text).await;
            Some(meant.map_err(|error| call.problem(error))?)
        }
    };
    let named = query.pairs().iter().filter(|(name, _)| name == "kind");
    let kinds = named.map(|(_, kind)| {
        AuditKind::named(kind).ok_or_else(|| Problem::bad_request("there is no such kind of event"))
    });
    Ok(AuditQuery {
        pool: pool.map(|pool| pool.name.clone()),
        user,
        kinds: kinds.collect::<Result<_, _>>()?,
        since: moment(query, "since")?,
        until: moment(query, "until")?,
        ..AuditQuery::default()
    })
}

fn moment(query: &Query, name: &str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = query.one(name) else {
        return Ok(None);
    };
    let moment = Timestamp::parse(text);
    let wrong = || Problem::bad_request(format!("{name} must be a moment such as 2026-11-22T10:00:00Z"));
    moment.map(Some).ok_or_else(wrong)
}

fn record(event: &AuditEvent) -> Value {
    let user = event.user.as_ref();
    json!({
        "at": event.at.to_iso8601(),
        "kind": event.kind.name(),
        "pool": user.map(|user| user.pool.as_str()),
        "user": user.map(|user| user.id.as_str()),
        "actor": event.actor.to_string(),
        "network": event.network.as_ref().map(NetworkHash::as_str),
        "request": event.request.as_ref().map(RequestId::as_str),
        "detail": event.detail,
    })
}
