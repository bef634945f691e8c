//! The forms for the e-mail address.

use domain::flow::change_profile::{Field, ProfileChange};

use super::super::form::Form;
use super::super::session;
use super::super::view::{AccountErrors, AccountView};
use super::super::visit::Visit;
use super::{done, proof, refusal, view};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `POST /account/email`: another address.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["email", "current_password"]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    let change = ProfileChange {
        email: Field::Set(form.text("email").to_owned()),
        current_password: proof(&form, &caller),
        ..ProfileChange::default()
    };
    match request
        .app
        .services
        .change_profile(visit.pool, &caller, &change, request.origin())
        .await
    {
        Ok(_) => Ok(done("email")),
        Err(error) => {
            let refusal = refusal(error, &visit, &caller)?;
            let problems = AccountErrors {
                email: refusal.errors,
                ..AccountErrors::default()
            };
            let view = AccountView {
                problems,
                new_email: form.text("email").to_owned(),
                ..view(&visit, &caller)
            };
            visit.page(refusal.status, request.app.pages.account(&view))
        }
    }
}

/// `POST /account/verify-email`: a link to the present one.
pub async fn send_link(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    Form::read(&mut request, &[]).await?;
    let Some(caller) = session::current(&request).await? else {
        return Ok(session::log_in_first(&request));
    };
    let visit = Visit::within(&request, &caller.user.key.pool)?;
    match request
        .app
        .services
        .send_verification(visit.pool, caller.user.id(), request.origin())
        .await
    {
        Ok(()) => Ok(done("mailed")),
        Err(error) => Err(Problem::of(error, visit.pool)),
    }
}
