//! Problems as pages, for people.

use http::header::{ACCEPT, RETRY_AFTER};
use http::{HeaderMap, StatusCode};

use super::form::STALE_FORM;
use super::render::Pages;
use super::view::{ErrorView, RateLimitedView};
use super::{place, words};
use crate::problem::Problem;
use crate::reply::Reply;

/// Whether the caller is a browser that shows pages; everybody else hears of problems in JSON.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    let mut accepted = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.contains("text/html") || value.contains("application/xhtml+xml"))
}

/// A problem as a page with its status and, where there is one, its `Retry-After`.
pub fn problem_page(pages: &Pages, problem: &Problem, request_id: &str) -> Reply {
    let wait = problem.retry_after.map(|wait| wait.as_secs_ceil().max(1));
    let html = match (problem.status, wait) {
        (StatusCode::TOO_MANY_REQUESTS, Some(wait)) => pages.rate_limited(&RateLimitedView {
            retry_after_seconds: wait,
            back: Some(place::HOME),
        }),
        _ => pages.error(&view(problem, request_id)),
    };
    let Ok(html) = html else {
        return problem.clone().into_reply(request_id);
    };
    let reply = Reply::page(problem.status, html);
    match wait {
        Some(wait) => reply.header(RETRY_AFTER, &wait.to_string()),
        None => reply,
    }
}

fn view(problem: &Problem, request_id: &str) -> ErrorView {
    if problem.code == Some(STALE_FORM) {
        return ErrorView::stale_form();
    }
    let status = problem.status;
    // Elsewhere than on the way to a provider it means that the session is over.
    let code = problem.code.filter(|code| *code != "AUTHORIZATION_REQUIRED");
    if let Some(message) = code.and_then(|code| words::at_provider(code, "the provider")) {
        return ErrorView {
            status: status.as_u16(),
            title: "That did not work".to_owned(),
            message,
            request_id: None,
        };
    }
    let (title, message) = match status {
        StatusCode::NOT_FOUND => return ErrorView::not_found(),
        StatusCode::SERVICE_UNAVAILABLE => ("We are busy", "Please try again in a moment."),
        _ if status.is_server_error() => return ErrorView::internal(request_id),
        StatusCode::UNAUTHORIZED => ("Please log in", "Your session has ended, or there was none."),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "That is too much",
            "The form was larger than any form of ours can be.",
        ),
        StatusCode::CONFLICT => (
            "Somebody was faster",
            "Your account was changed at the same moment. Please try again.",
        ),
        _ => ("That did not work", problem.message.as_str()),
    };
    ErrorView {
        status: status.as_u16(),
        title: title.to_owned(),
        message: message.to_owned(),
        request_id: None,
    }
}
