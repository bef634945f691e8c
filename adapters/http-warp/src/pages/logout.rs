//! `/logout`.

use super::form::Form;
use super::visit::Visit;
use super::{external, session};
use crate::extract::Request;
use crate::extract::cookies::Cookie;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::Matched;
use crate::routes::external::legacy;

/// `POST /logout`: ends the session and forgets every cookie of ours.
pub async fn submit(mut request: Request, _: Matched) -> Result<Reply, Problem> {
    let form = Form::read(&mut request, &["pool"]).await?;
    let visit = Visit::sent(&request, &form)?;
    let ended = session::end(&request).await?;
    let jar = visit.jar();
    // Where the session stood on one at a provider, that one is to end as well.
    let away = match &ended {
        Some(ended) => request.app.services.begin_single_logout(&ended.session).await,
        None => None,
    };
    let reply = match away {
        Some(away) => match &away.form {
            Some(form) => external::send(&request, &away.url, form)?,
            None => external::onward(&visit, &away.url)?,
        },
        None => Reply::see_other(&visit.url("/login", Some("bye"))),
    };
    let reply = [Cookie::Session, Cookie::Own, Cookie::Pending, Cookie::Csrf]
        .into_iter()
        .fold(reply, |reply, cookie| reply.cookie(&jar.clear(cookie)));
    Ok(legacy::clear(&request, reply))
}
