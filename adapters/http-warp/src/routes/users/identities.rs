//! `/api/{pool}/{id}/identities`: the accounts elsewhere that log in as this user.

use domain::error::Denial;
use domain::id::IdentityId;
use domain::identity::Identity;
use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use super::output::{self, Selection};
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::wire_id::WireId;

/// 200 with all of them, in the order they were linked.
pub async fn list(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let selection = Selection::of(&Query::parse(&call.request.query))?;
    let owner = &call.owner()?.user;
    let all = owner.identities.iter();
    let records: Vec<Value> = all
        .map(|identity| selection.pick(record(identity, owner.key.id.as_str())))
        .collect();
    Ok(Reply::json(StatusCode::OK, &records))
}

/// 200 with how many there are.
pub async fn count(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let count = call.owner()?.user.identities.len();
    Ok(Reply::json(StatusCode::OK, &json!({ "count": count })))
}

/// 200 with one of them.
pub async fn find(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let selection = Selection::of(&Query::parse(&call.request.query))?;
    let owner = &call.owner()?.user;
    let named = |identity: &&Identity| Some(identity.id.as_str()) == call.fk.as_deref();
    let identity = owner.identities.iter().find(named).ok_or_else(unknown)?;
    let record = record(identity, owner.key.id.as_str());
    Ok(Reply::json(StatusCode::OK, &selection.pick(record)))
}

/// 204; the account is not linked any more, its grants are forgotten, and every other session is over.
pub async fn unlink(call: Call) -> Result<Reply, Problem> {
    let (pool, owner) = (call.pool()?, call.owner()?);
    let identity = IdentityId::new(call.fk.as_deref().unwrap_or_default());
    let done = call
        .services()
        .unlink(pool, owner, &identity, call.request.origin())
        .await;
    done.map(|()| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// LoopBack's `UserIdentity`, without the tokens and the raw profile that LoopBack shows.
pub fn record(identity: &Identity, user: &str) -> Value {
    json!({
        "id": WireId(identity.id.as_str()),
        "provider": identity.key.provider.as_str(),
        "authScheme": identity.auth_scheme,
        "externalId": identity.key.subject,
        "profile": identity.profile,
        "created": identity.created.to_iso8601(),
        "modified": identity.modified.to_iso8601(),
        "userId": WireId(user),
    })
}

/// 404 for what is not linked.
pub fn unknown() -> Problem {
    Problem::of_denial(&Denial::LinkUnknown, "")
}
