//! `logoutPath`: a provider tells that somebody left there, or answers when somebody left here (SAML single logout). Both come with
//! the person's browser.

use domain::ports::LogoutMessage;
use domain::service::LogoutReply;
use http::Method;

use super::leave::leave;
use super::{callback, refusal, start};
use crate::entries::WebEntry;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// Where people see that they are logged out.
const BYE: &str = "/login?bye=1";

/// Ends what is to end, and brings the answer back.
pub async fn call(mut request: Request, entry: &WebEntry) -> Result<Reply, Problem> {
    let params = callback::params(&mut request).await?;
    let services = &request.app.services;
    let message = LogoutMessage {
        params,
        query: (request.method == Method::GET).then(|| request.query.clone()),
        now: services.now(),
    };
    let heard = services.hear_logout(&entry.name, message, request.origin()).await;
    match heard {
        Ok(LogoutReply::Answer(Some(answer))) => leave(&request, &answer.url, answer.form.as_deref()),
        Ok(LogoutReply::Answer(None) | LogoutReply::Over { .. }) => Ok(Reply::see_other(BYE)),
        Err(error) => {
            let pool = start::pool_of(&request, entry)?;
            refusal::plain(&request, entry, Problem::of(error, pool))
        }
    }
}
