//! `POST /api/{pool}/reset`, `/change-password` and `/reset-password`.

use domain::credential::Password;
use domain::error::{Denial, DomainError};

use super::Call;
use super::caller;
use super::input::Input;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::steady::steady;

/// 204 whoever it is about: whether a mail goes out is seen in the mailbox alone.
pub async fn reset(mut call: Call) -> Result<Reply, Problem> {
    let mut input = Input::read(&mut call.request).await?;
    let (email, realm) = (input.text("email")?, input.text("realm")?);
    let missing = || Problem::bad_request("Email is required").coded("EMAIL_REQUIRED");
    let email = email.filter(|email| !email.is_empty()).ok_or_else(missing)?;
    let pool = call.pool()?;
    let work = call
        .services()
        .request_reset(pool, realm.as_deref(), &email, call.request.origin());
    steady(work)
        .await
        .map(|()| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// 204; the caller's other sessions are over.
pub async fn change_password(mut call: Call) -> Result<Reply, Problem> {
    let mut input = Input::read(&mut call.request).await?;
    let (old, new) = (input.required("oldPassword")?, input.required("newPassword")?);
    let (old, new) = (Password::typed(&old), Password::typed(&new));
    let (pool, caller) = (call.pool()?, call.authenticated()?);
    let done = call
        .services()
        .change_password(pool, caller, &old, &new, call.request.origin())
        .await;
    done.map(|_| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// 204; all sessions of the user are over. The reset token stands where an access token would, and only it opens this call: an
/// ordinary session is not enough, as it is in LoopBack.
pub async fn reset_password(mut call: Call) -> Result<Reply, Problem> {
    let presented = caller::presented(&call.request).ok_or_else(Problem::authorization_required)?;
    let new = Input::read(&mut call.request).await?.required("newPassword")?;
    let new = Password::typed(&new);
    let pool = call.pool()?;
    for token in &presented.readings {
        match call
            .services()
            .reset_password(pool, token, &new, call.request.origin())
            .await
        {
            Ok(_) => return Ok(Reply::no_content()),
            Err(DomainError::Denied(Denial::TokenRefused)) => {}
            Err(error) => return Err(Problem::of(error, pool)),
        }
    }
    Err(Problem::authorization_required())
}
