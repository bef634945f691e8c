//! The forms for linked accounts and what we may do there.

use domain::error::DomainError;
use domain::id::{CredentialId, IdentityId};

use super::super::form::Form;
use super::super::view::AccountErrors;
use super::super::{session, words};
use super::owner::Owner;
use super::{done, refused};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/identities/unlink`.
pub async fn unlink(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["identity"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let identity = IdentityId::new(form.text("identity"));
    let unlinked = owner
        .services()
        .unlink(owner.pool(), &owner.caller, &identity, request.origin());
    settle(&owner, unlinked.await, "unlinked")
}

/// `POST /account/credentials/forget`.
pub async fn forget(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["credential"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let credential = CredentialId::new(form.text("credential"));
    let forgotten =
        owner
            .services()
            .forget_credential(owner.pool(), &owner.caller, &credential, request.origin());
    settle(&owner, forgotten.await, "forgotten")
}

fn settle(owner: &Owner<'_>, ended: Result<(), DomainError>, told: &str) -> Result<Reply, Problem> {
    let Err(error) = ended else {
        return Ok(done(told));
    };
    let refusal = words::refusal(error, owner.pool(), "password")?;
    let problems = AccountErrors {
        linked: refusal.errors,
        ..AccountErrors::default()
    };
    refused(owner, refusal.status, problems)
}
