//! `/api/{pool}/{id}/impersonate`: an administrator acts as a user, to see what they see.

use domain::id::UserId;
use domain::service::ImpersonationAsk;

use super::administer::unknown;
use super::input::Input;
use super::{Call, output};
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with a token like a login's, of an hour at most, by which nothing of the user's can be changed.
pub async fn begin(mut call: Call) -> Result<Reply, Problem> {
    call.admin()?;
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let ask = ImpersonationAsk {
        user: UserId::new(call.id.as_deref().unwrap_or_default()),
        reason: input.text("reason")?.unwrap_or_default(),
        ttl: input.ttl()?,
    };
    let (pool, admin) = (call.pool()?, call.admin()?);
    let begun = call
        .services()
        .impersonate(pool, admin, ask, call.request.origin())
        .await;
    let begun = begun.map_err(|error| Problem::of(error, pool))?;
    let token = begun.ok_or_else(|| unknown(&call))?;
    Ok(output::opened(&call.request, pool, &token, false))
}
