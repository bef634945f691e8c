//! The form that ends the sessions of other devices.

use super::super::form::Form;
use super::super::session;
use super::super::visit::Visit;
use super::done;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/sessions/end-others`.
pub async fn end_others(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    match request
        .app
        .services
        .end_other_sessions(visit.pool, &caller, request.origin())
        .await
    {
        Ok(()) => Ok(done("ended")),
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}
