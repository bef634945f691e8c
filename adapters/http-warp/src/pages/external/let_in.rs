//! In after a form of ours (a code, a proof), for somebody who came by an entry of `providers.json`.

use domain::session::AccessToken;

use super::super::session;
use super::super::visit::Visit;
use crate::entries::WebEntry;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::external::legacy;

/// Opens the session and leads on as a plain log-in by that entry does: where was asked for, else to its `successRedirect`; and with
/// LoopBack's own cookies where they are wanted. Without an entry it is a log-in of our own pages.
///
/// # Errors
/// When a store does not answer; 500 when the template failed.
pub async fn let_in(
    visit: Visit<'_>,
    entry: Option<&WebEntry>,
    token: &AccessToken,
) -> Result<Reply, Problem> {
    let visit = visit.ending_at(entry);
    let reply = session::open_from_form(&visit, token).await?;
    Ok(match entry {
        Some(entry) => legacy::dress(visit.request, entry, token, reply),
        None => reply,
    })
}
