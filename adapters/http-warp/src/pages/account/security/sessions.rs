//! Ending sessions of one's own.

use domain::id::SessionId;

use super::super::super::form::Form;
use super::super::super::session;
use super::super::owner::Owner;
use super::settle;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/security/sessions/end`: one.
pub async fn end(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["session"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let session = SessionId::new(form.text("session"));
    let ended = owner
        .services()
        .end_own_session(owner.pool(), &owner.caller, &session, request.origin());
    settle(&owner, ended.await, "ended").await
}

/// `POST /account/security/sessions/end-others`: all but this one.
pub async fn end_others(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let ended = owner
        .services()
        .end_other_sessions(owner.pool(), &owner.caller, request.origin());
    settle(&owner, ended.await, "others").await
}
