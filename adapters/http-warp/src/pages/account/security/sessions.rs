//! Ending sessions of one's own.

use domain::id::SessionId;

use super::super::super::form::Form;
use super::super::super::session;
use super::super::super::visit::Visit;
use super::{done, refuse};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/security/sessions/end`: one.
pub async fn end(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["session"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let ended = SessionId::new(form.text("session"));
    let services = &request.app.services;
    match services
        .end_own_session(visit.pool, &caller, &ended, request.origin())
        .await
    {
        Ok(()) => Ok(done("ended")),
        Err(error) => refuse(&visit, &caller, error).await,
    }
}

/// `POST /account/security/sessions/end-others`: all but this one.
pub async fn end_others(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let services = &request.app.services;
    match services
        .end_other_sessions(visit.pool, &caller, request.origin())
        .await
    {
        Ok(()) => Ok(done("others")),
        Err(error) => refuse(&visit, &caller, error).await,
    }
}
