//! `/logout`.

use super::form::Form;
use super::session;
use super::visit::Visit;
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
    session::end(&request).await?;
    let jar = visit.jar();
    let reply = [Cookie::Session, Cookie::Pending, Cookie::Csrf].into_iter().fold(
        Reply::see_other(&visit.url("/login", Some("bye"))),
        |reply, cookie| reply.cookie(&jar.clear(cookie)),
    );
    Ok(legacy::clear(&request, reply))
}
