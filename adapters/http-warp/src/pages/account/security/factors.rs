//! Renaming and removing factors, making recovery codes, forgetting devices.

use domain::id::FactorId;
use domain::secret::Secret;
use http::StatusCode;

use super::super::super::form::Form;
use super::super::super::session;
use super::super::super::view::RecoveryCodesView;
use super::super::owner::Owner;
use super::{refuse, settle};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/security/rename`.
pub async fn rename(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["factor", "name"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let (factor, name) = (FactorId::new(form.text("factor")), form.text("name").to_owned());
    let renamed =
        owner
            .services()
            .rename_factor(owner.pool(), &owner.caller, &factor, name, request.origin());
    settle(&owner, renamed.await, "renamed").await
}

/// `POST /account/security/remove`.
pub async fn remove(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["factor"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let factor = FactorId::new(form.text("factor"));
    let removed = owner
        .services()
        .remove_factor(owner.pool(), &owner.caller, &factor, request.origin());
    settle(&owner, removed.await, "removed").await
}

/// `POST /account/security/recovery`: ten new codes, shown once.
pub async fn recovery_codes(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let made = owner
        .services()
        .make_recovery_codes(owner.pool(), &owner.caller, request.origin());
    match made.await {
        Ok(codes) => {
            let codes = codes.iter().map(Secret::expose).map(str::to_owned).collect();
            let html = request.pages.recovery_codes(&RecoveryCodesView { codes });
            owner.visit.page(StatusCode::OK, html)
        }
        Err(error) => refuse(&owner, error).await,
    }
}

/// `POST /account/security/devices/forget`.
pub async fn forget_devices(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let forgotten = owner
        .services()
        .forget_devices(owner.pool(), &owner.caller, request.origin());
    settle(&owner, forgotten.await, "forgotten").await
}
