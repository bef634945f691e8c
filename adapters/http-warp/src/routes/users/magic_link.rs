//! `POST /api/{pool}/requestLink` and `/loginWithLink`: a mailed link in the place of a password, where the pool has them.

use domain::service::LoggedIn;

use super::Call;
use super::input::{self, Input};
use super::login::includes_user;
use super::output;
use crate::extract::query::Query;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::external;
use crate::steady::steady;

/// 204 for every name; a mail goes to the address of whoever has one of that name.
pub async fn request(mut call: Call) -> Result<Reply, Problem> {
    let mut input = Input::read(&mut call.request).await?;
    let (realm, name) = (input.text("realm")?, input.login_name()?);
    let name = name.ok_or_else(input::name_required)?;
    let pool = call.pool()?;
    if !pool.magic_link {
        return Err(Problem::authorization_required());
    }
    let work = call
        .services()
        .request_link(pool, &name, realm.as_deref(), None, call.request.origin());
    let done = steady(work).await;
    done.map(|()| Reply::no_content())
        .map_err(|error| Problem::of(error, pool))
}

/// 200 with a token; 401 where a second factor is due, with what continues the login.
pub async fn login(mut call: Call) -> Result<Reply, Problem> {
    output::acceptable(&call.request)?;
    let mut input = Input::read(&mut call.request).await?;
    let pool = call.pool()?;
    let (token, terms) = (input.token("token")?, input.terms(pool)?);
    let logged_in = call
        .services()
        .login_with_link(pool, &token, terms, call.request.origin())
        .await;
    match logged_in.map_err(|error| Problem::of(error, pool))?.0 {
        LoggedIn::Opened(token) => {
            let with_user = includes_user(&Query::parse(&call.request.query));
            Ok(output::opened(&call.request, pool, &token, with_user))
        }
        LoggedIn::AwaitingCode(requested) => Err(external::awaiting_code(requested)),
    }
}
