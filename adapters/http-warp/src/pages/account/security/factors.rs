//! Renaming and removing factors, making recovery codes, forgetting devices.

use domain::id::FactorId;
use domain::secret::Secret;
use http::StatusCode;

use super::super::super::form::Form;
use super::super::super::session;
use super::super::super::view::RecoveryCodesView;
use super::super::super::visit::Visit;
use super::{done, refuse};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/security/rename`.
pub async fn rename(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["factor", "name"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let (factor, name) = (FactorId::new(form.text("factor")), form.text("name").to_owned());
    let services = &request.app.services;
    match services
        .rename_factor(visit.pool, &caller, &factor, name, request.origin())
        .await
    {
        Ok(_) => Ok(done("renamed")),
        Err(error) => refuse(&visit, &caller, error).await,
    }
}

/// `POST /account/security/remove`.
pub async fn remove(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["factor"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let factor = FactorId::new(form.text("factor"));
    let services = &request.app.services;
    match services
        .remove_factor(visit.pool, &caller, &factor, request.origin())
        .await
    {
        Ok(_) => Ok(done("removed")),
        Err(error) => refuse(&visit, &caller, error).await,
    }
}

/// `POST /account/security/recovery`: ten new codes, shown once.
pub async fn recovery_codes(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let services = &request.app.services;
    match services
        .make_recovery_codes(visit.pool, &caller, request.origin())
        .await
    {
        Ok(codes) => {
            let codes = codes.iter().map(Secret::expose).map(str::to_owned).collect();
            let html = request.app.pages.recovery_codes(&RecoveryCodesView { codes });
            visit.page(StatusCode::OK, html)
        }
        Err(error) => refuse(&visit, &caller, error).await,
    }
}

/// `POST /account/security/devices/forget`.
pub async fn forget_devices(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let services = &request.app.services;
    match services
        .forget_devices(visit.pool, &caller, request.origin())
        .await
    {
        Ok(_) => Ok(done("forgotten")),
        Err(error) => refuse(&visit, &caller, error).await,
    }
}
