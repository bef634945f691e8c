//! The landing places that LoopBack's passport component sends people to.

use super::{place, words};
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::{Matched, assets};

/// `/login.html`: the team's own page if there is one, else ours.
pub async fn login(request: Request, _: Matched) -> Result<Reply, Problem> {
    let ours = place::url("/login", &[("error", words::told_code(&request).as_deref())]);
    Ok(own_page_or(&request, &ours).await)
}

/// `/auth/account`: likewise.
pub async fn account(request: Request, _: Matched) -> Result<Reply, Problem> {
    Ok(own_page_or(&request, place::HOME).await)
}

/// `/link.html`, `/link/account`: likewise, where the linked accounts stand.
pub async fn linked(request: Request, _: Matched) -> Result<Reply, Problem> {
    let ours = match words::told_code(&request) {
        Some(code) => place::url("/account", &[("error", Some(&code))]) + "#linked",
        None => place::LINKED.to_owned(),
    };
    Ok(own_page_or(&request, &ours).await)
}

async fn own_page_or(request: &Request, ours: &str) -> Reply {
    match assets::own_file(request, &request.path).await {
        Some(reply) => reply,
        None => Reply::see_other(ours),
    }
}
