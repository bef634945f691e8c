//! `POST /api/{pool}/refresh`: a new token for one that a refresh token renews.

use super::Call;
use super::input::Input;
use super::output;
use crate::problem::Problem;
use crate::reply::Reply;

/// 200 with a token and the next refresh token; the one that was sent is used up, but for a client that lost this answer.
pub async fn refresh(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let sent = Input::read(&mut call.request).await?.token("refreshToken")?;
    let pool = call.pool()?;
    let renewed = call
        .services()
        .refresh_session(pool, &sent, call.request.origin())
        .await;
    let token = renewed.map_err(|error| Problem::of(error, pool))?;
    Ok(output::opened(&call.request, pool, &token, false))
}
