//! `/verify`: an address by its mailed link, a number by its code.

pub mod email;
pub mod phone;

use super::form::Form;
use super::pending::{Awaited, Pending};
use super::place;
use crate::extract::Request;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;

/// `GET /verify`: what there is to confirm. Opening the page confirms nothing: mail scanners open every link.
pub async fn show(request: Request, _: Matched) -> Result<Reply, Problem> {
    let query = Query::parse(&request.query);
    if let Some(token) = query.one("token").filter(|token| !token.is_empty()) {
        return email::show(&request, query.one("uid").unwrap_or_default(), token);
    }
    match Pending::of(&request, Awaited::Phone) {
        Some(pending) => phone::show(&request, &pending, query.one("return_to")),
        None => Ok(Reply::see_other(place::HOME)),
    }
}

/// `POST /verify`: the button of a mailed link, or a code.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["uid", "token", "pool", "code", "return_to"]).await?;
    if form.filled("token").is_some() {
        return email::confirm(&request, &form).await;
    }
    match Pending::of(&request, Awaited::Phone) {
        Some(pending) => phone::confirm(&request, &form, &pending).await,
        None => Ok(Reply::see_other(place::HOME)),
    }
}
