//! The landing places that LoopBack's passport component sends people to.

use super::place;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::{Matched, assets};

/// `/login.html`: the team's own page if there is one, else ours.
pub async fn login(request: Request, _: Matched) -> Result<Reply, Problem> {
    Ok(own_page_or(&request, "/login").await)
}

/// `/link.html`, `/auth/account`, `/link/account`: likewise.
pub async fn account(request: Request, _: Matched) -> Result<Reply, Problem> {
    Ok(own_page_or(&request, place::HOME).await)
}

async fn own_page_or(request: &Request, ours: &str) -> Reply {
    match assets::own_file(request, &request.path).await {
        Some(reply) => reply,
        None => Reply::see_other(ours),
    }
}
