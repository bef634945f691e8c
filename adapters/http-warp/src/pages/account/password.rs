//! The form for a new password.

use super::super::form::Form;
use super::super::view::AccountErrors;
use super::super::{session, words};
use super::owner::Owner;
use super::{done, refused};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/password`.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["current_password", "new_password"]).await?;
    let Some(owner) = Owner::of(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let (current, new) = (form.password("current_password"), form.password("new_password"));
    let changed =
        owner
            .services()
            .change_password(owner.pool(), &owner.caller, &current, &new, request.origin());
    match changed.await {
        Ok(_) => Ok(done("password")),
        Err(error) => {
            let refusal = words::refusal(error, owner.pool(), "new_password")?;
            let problems = AccountErrors {
                password: refusal.errors,
                ..AccountErrors::default()
            };
            refused(&owner, refusal.status, problems)
        }
    }
}
