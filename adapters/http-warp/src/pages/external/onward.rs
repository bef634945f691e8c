//! The way on to a place that may lie elsewhere.

use http::StatusCode;

use super::super::place;
use super::super::view::OnwardView;
use super::super::visit::Visit;
use crate::problem::Problem;
use crate::reply::Reply;

/// Leads from a form of ours to a place that was judged allowed. A redirect after a form may stay on this site only (that is
/// what `form-action` says), so to another one leads a page that opens it by itself and has a link for browsers that do not.
///
/// # Errors
/// 500 when the template failed.
pub fn onward(visit: &Visit<'_>, destination: &str) -> Result<Reply, Problem> {
    if place::local(destination).is_some() {
        return Ok(Reply::see_other(destination));
    }
    let view = OnwardView {
        destination: destination.to_owned(),
    };
    visit.page(StatusCode::OK, visit.request.pages.onward(&view))
}
