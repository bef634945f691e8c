//! `GET /api/{pool}/{id}`: one's own record.

use domain::id::UserId;
use http::StatusCode;

use super::output::{self, Selection};
use super::{Call, administer};
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with the user, or the part of it that `filter[fields]` asks for.
pub async fn find_by_id(call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let selection = Selection::of(&Query::parse(&call.request.query))?;
    // The token check read the owner's record a moment ago.
    let record = match (call.owner(), &selection) {
        (Ok(owner), Selection::All) => return Ok(Reply::json(StatusCode::OK, &output::Record(&owner.user))),
        (Ok(owner), _) => output::user(&owner.user),
        (Err(_), _) => of_somebody(&call).await?,
    };
    Ok(Reply::json(StatusCode::OK, &selection.pick(record)))
}

/// Somebody else's record: reached only where configured access rules open this call to others than the owner.
async fn of_somebody(call: &Call) -> Result<serde_json::Value, Problem> {
    let pool = call.pool()?;
    let id = UserId::new(call.id.as_deref().unwrap_or_default());
    let user = call
        .services()
        .find_user(pool, &id)
        .await
        .map_err(|error| Problem::of(error, pool))?;
    let unknown = || Problem::not_found(format!("Unknown \"{}\" id.", pool.model)).coded("MODEL_NOT_FOUND");
    user.map(|user| administer::record(&user)).ok_or_else(unknown)
}
