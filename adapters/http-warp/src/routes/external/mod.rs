//! The doors of `providers.json`: `authPath` and `callbackPath` of every entry. They may change while we serve, so they stand in no
//! table of ours; our own routes go before them.

mod binding;
mod callback;
mod directory;
mod leave;
pub(crate) mod legacy;
mod link;
mod local;
mod logout;
mod metadata;
mod outcome;
pub(crate) mod place;
mod refusal;
mod start;
mod tickets;

pub(crate) use outcome::awaiting_code;
pub(crate) use start::{X_APPLICATION_ID, in_headers};

use std::sync::Arc;

use http::Method;
use http::header::ACCEPT;

use super::Matched;
use crate::App;
use crate::entries::{Door, EntryKind, WebEntry};
use crate::extract::Request;
use crate::pages;
use crate::problem::Problem;
use crate::reply::Reply;

/// Where people go after a log-in that names no place: LoopBack's landing places.
const AFTER_LOGIN: &str = "/auth/account";

/// Where people go after linking.
const AFTER_LINK: &str = "/link/account";

/// The entry of a path, and what the path is to it.
pub fn find(app: &App, path: &str) -> Option<(Arc<WebEntry>, Door)> {
    app.entries.current().find(path)
}

/// Whoever comes to a door.
pub async fn call(request: Request, matched: Matched) -> Result<Reply, Problem> {
    let (entry, door) = matched
        .entry
        .ok_or_else(|| Problem::internal("a door without an entry"))?;
    match (door, &entry.kind, &request.method) {
        (Door::Start, EntryKind::Provider, &(Method::GET | Method::HEAD | Method::POST)) => {
            start::start(request, &entry).await
        }
        (Door::Start, EntryKind::Local { .. }, &Method::POST) => local::log_in(request, &entry).await,
        (Door::Start, EntryKind::Local { .. }, &(Method::GET | Method::HEAD)) => {
            local::show(&request, &entry)
        }
        (Door::Start, EntryKind::Directory(fields), &Method::POST) => {
            directory::log_in(request, &entry, fields).await
        }
        (Door::Start, EntryKind::Directory(_), &(Method::GET | Method::HEAD)) => {
            directory::show(&request, &entry)
        }
        (Door::Start, EntryKind::Tickets { passwords }, &(Method::GET | Method::HEAD | Method::POST)) => {
            tickets::call(request, &entry, passwords.as_ref()).await
        }
        (Door::Logout, EntryKind::Provider, &(Method::GET | Method::POST)) => {
            logout::call(request, &entry).await
        }
        (Door::Metadata, EntryKind::Provider, &(Method::GET | Method::HEAD)) => {
            metadata::show(&request, &entry)
        }
        (Door::Callback, EntryKind::Provider, &(Method::GET | Method::HEAD | Method::POST)) => {
            callback::callback(request, &entry).await
        }
        _ => Err(no_such_method(&request)),
    }
}

/// 404 in Express' words. The path is one of the file's, so it may be repeated.
fn no_such_method(request: &Request) -> Problem {
    Problem::not_found(format!("Cannot {} {}", request.method, request.path))
}

/// Whether a caller is told in JSON: because the entry is for programs, or because the caller says that it is one.
fn is_program(request: &Request, entry: &WebEntry) -> bool {
    entry.json || (asks_for_json(request) && !pages::is_wanted(&request.headers))
}

/// Whether JSON is asked for by its name.
fn asks_for_json(request: &Request) -> bool {
    let mut lines = request
        .headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|line| line.to_str().ok());
    lines.any(|line| line.contains("application/json"))
}

/// Where a success leads that was not asked to lead elsewhere.
pub(crate) fn after_success(entry: &WebEntry) -> &str {
    let usual = if entry.link { AFTER_LINK } else { AFTER_LOGIN };
    entry.success_redirect.as_deref().unwrap_or(usual)
}
