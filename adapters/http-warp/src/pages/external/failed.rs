//! What became of a log-in or a link that failed, and where to go from there.

use http::StatusCode;
use http::header::RETRY_AFTER;

use super::super::view::FailedView;
use super::super::{place, problem_page, words};
use crate::entries::WebEntry;
use crate::extract::Request;
use crate::problem::Problem;
use crate::reply::Reply;

/// Says what went wrong, with its status and its code, and leads back to the entry's own path or to another way. What has nothing
/// to do with the provider has the page it always has.
pub fn problem(request: &Request, entry: &WebEntry, problem: &Problem) -> Reply {
    let told = problem
        .code
        .and_then(|code| words::at_provider(code, &entry.label));
    let Some(message) = told else {
        return problem_page(&request.pages, problem, &request.id);
    };
    let pool = Some(entry.pool.as_str()).filter(|_| entry.pool != request.app.settings.default_pool);
    let (title, other, other_label) = if entry.link {
        (
            "Your account was not linked",
            place::LINKED.to_owned(),
            "Back to your account",
        )
    } else {
        (
            "You are not logged in",
            place::url("/login", &[("pool", pool)]),
            "Log in another way",
        )
    };
    let view = FailedView {
        status: problem.status.as_u16(),
        title: title.to_owned(),
        message,
        code: problem.code.unwrap_or_default(),
        again: (problem.status != StatusCode::NOT_FOUND).then(|| entry.auth_path.clone()),
        other,
        other_label,
    };
    let Ok(html) = request.pages.failed(&view) else {
        return problem.clone().into_reply(&request.id);
    };
    let reply = Reply::page(problem.status, html);
    match problem.retry_after {
        Some(wait) => reply.header(RETRY_AFTER, &wait.as_secs_ceil().max(1).to_string()),
        None => reply,
    }
}
