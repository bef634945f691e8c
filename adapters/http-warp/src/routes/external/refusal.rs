//! What people and programs hear when a door stays shut.

use domain::error::Denial;
use http::StatusCode;

use super::{is_program, place};
use crate::entries::WebEntry;
use crate::extract::Request;
use crate::pages;
use crate::problem::Problem;
use crate::reply::Reply;

/// A way that ended badly: programs get the problem, people the entry's `failureRedirect` if it has one, else a page.
///
/// # Errors
/// The problem itself, for programs.
pub fn refuse(request: &Request, entry: &WebEntry, problem: Problem) -> Result<Reply, Problem> {
    if is_program(request, entry) {
        return Err(problem);
    }
    match entry
        .failure_redirect
        .as_deref()
        .filter(|_| may_redirect(&problem))
    {
        Some(place) => {
            let told = problem.code.filter(|_| entry.failure_query_string);
            let place = told.map_or_else(|| place.to_owned(), |code| place::with_pair(place, "error", code));
            Ok(Reply::found(&place::in_location(&place)))
        }
        None => plain(request, entry, problem),
    }
}

/// A request that makes no sense: its sender is to see why, not the person's landing place.
///
/// # Errors
/// As [`refuse`].
pub fn plain(request: &Request, entry: &WebEntry, problem: Problem) -> Result<Reply, Problem> {
    if is_program(request, entry) || !pages::is_wanted(&request.headers) {
        return Err(problem);
    }
    Ok(pages::external::problem(request, entry, &problem))
}

/// Whether the team's own page is to say it. Not where the way was never begun in this browser: that page would read as if the
/// person had done something (and anybody could lead people there); nor where it is us who cannot go on.
fn may_redirect(problem: &Problem) -> bool {
    let own = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
    problem.code != Denial::AuthorizationUnknown.code()
        && problem.code.is_some()
        && !own.contains(&problem.status)
}
