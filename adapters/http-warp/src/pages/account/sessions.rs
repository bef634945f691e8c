//! The form that ends the sessions of other devices.

use super::super::form::Form;
use super::super::session;
use super::done;
use super::owner::Owner;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/sessions/end-others`.
pub async fn end_others(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let ended = owner
        .services()
        .end_other_sessions(owner.pool(), &owner.caller, request.origin());
    match ended.await {
        Ok(()) => Ok(done("ended")),
        Err(error) => Err(Problem::of(error, owner.pool())),
    }
}
