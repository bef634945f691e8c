//! `/api/{pool}/{id}/sessions`: where one is logged in.

use domain::id::SessionId;
use domain::limits::ClientAddress;
use domain::origin::Agent;
use domain::session::Session;
use domain::time::Timestamp;
use http::StatusCode;
use serde_json::{Value, json};

use super::factors;
use super::output;
use super::{Call, administer};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::wire_id::WireId;

/// 200 with all live ones, never their tokens.
pub async fn list(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    if call.is_about_another() {
        return administer::sessions(call).await;
    }
    let (pool, owner) = (call.pool()?, call.owner()?);
    let found = call.services().own_sessions(pool, owner).await;
    let found = found.map_err(|error| Problem::of(error, pool))?;
    let records: Vec<Value> = found
        .iter()
        .map(|session| record(session, session.id == owner.session.id))
        .collect();
    Ok(Reply::json(StatusCode::OK, &records))
}

/// 204; that one is over.
pub async fn end(call: Call) -> Result<Reply, Problem> {
    if call.is_about_another() {
        return administer::end_session(call).await;
    }
    let (pool, owner) = (call.pool()?, call.owner()?);
    let session = SessionId::new(call.fk.as_deref().unwrap_or_default());
    let ended = call
        .services()
        .end_own_session(pool, owner, &session, call.request.origin())
        .await;
    ended
        .map(|()| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// 204; all but the one of the call are over. Of somebody else, all.
pub async fn end_others(call: Call) -> Result<Reply, Problem> {
    if call.is_about_another() {
        return administer::end_sessions(call).await;
    }
    let (pool, owner) = (call.pool()?, call.owner()?);
    let ended = call
        .services()
        .end_other_sessions(pool, owner, call.request.origin())
        .await;
    ended
        .map(|()| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// A session as its owner, or an administrator, sees it.
pub fn record(session: &Session, current: bool) -> Value {
    let own = json!({
        "id": WireId(session.id.as_str()),
        "created": session.created.to_iso8601(),
        "lastUsed": session.last_used.map(Timestamp::to_iso8601),
        "agent": session.agent.as_ref().map(Agent::as_str),
        "device": session.agent.as_ref().map(Agent::short),
        "address": session.address.as_ref().map(ClientAddress::as_str),
        "current": current,
        "impersonator": session.impersonator.as_ref().map(|by| by.user.id.as_str()),
    });
    let mut record = factors::proof(session);
    if let (Some(record), Value::Object(own)) = (record.as_object_mut(), own) {
        record.extend(own);
    }
    record
}
