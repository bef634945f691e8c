//! The form for a new password.

use super::super::form::Form;
use super::super::view::{AccountErrors, AccountView};
use super::super::visit::Visit;
use super::super::{session, words};
use super::{done, view};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/password`.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["current_password", "new_password"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let (current, new) = (form.password("current_password"), form.password("new_password"));
    let services = &request.app.services;
    match services
        .change_password(visit.pool, &caller, &current, &new, request.origin())
        .await
    {
        Ok(_) => Ok(done("password")),
        Err(error) => {
            let refusal = words::refusal(error, visit.pool, "new_password")?;
            let problems = AccountErrors {
                password: refusal.errors,
                ..AccountErrors::default()
            };
            let view = AccountView {
                problems,
                ..view(&visit, &caller)
            };
            visit.page(refusal.status, request.app.pages.account(&view))
        }
    }
}
