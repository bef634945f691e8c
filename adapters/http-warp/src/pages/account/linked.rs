//! The forms for linked accounts and what we may do there.

use domain::error::DomainError;
use domain::id::{CredentialId, IdentityId};
use domain::service::Authenticated;

use super::super::form::Form;
use super::super::view::{AccountErrors, AccountView};
use super::super::visit::Visit;
use super::super::{session, words};
use super::{done, view};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/identities/unlink`.
pub async fn unlink(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["identity"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let identity = IdentityId::new(form.text("identity"));
    let services = &request.app.services;
    match services
        .unlink(visit.pool, &caller, &identity, request.origin())
        .await
    {
        Ok(()) => Ok(done("unlinked")),
        Err(error) => refuse(&visit, &caller, error),
    }
}

/// `POST /account/credentials/forget`.
pub async fn forget(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["credential"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let credential = CredentialId::new(form.text("credential"));
    let services = &request.app.services;
    match services
        .forget_credential(visit.pool, &caller, &credential, request.origin())
        .await
    {
        Ok(()) => Ok(done("forgotten")),
        Err(error) => refuse(&visit, &caller, error),
    }
}

fn refuse(visit: &Visit<'_>, caller: &Authenticated, error: DomainError) -> Result<Reply, Problem> {
    let refusal = words::refusal(error, visit.pool, "password")?;
    let problems = AccountErrors {
        linked: refusal.errors,
        ..AccountErrors::default()
    };
    let view = AccountView {
        problems,
        ..view(visit, caller)
    };
    visit.page(refusal.status, visit.request.app.pages.account(&view))
}
