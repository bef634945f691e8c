//! What people see on their way to a provider and back. The way itself is in `routes::external`.

use domain::id::PoolName;
use domain::policy::PoolPolicy;
use domain::secret::{TOKEN_LENGTH, Token};
use http::StatusCode;

use crate::entries::WebEntry;
use crate::extract::Request;
use crate::extract::cookies::{Cookie, Jar};
use crate::problem::Problem;
use crate::reply::Reply;

/// How long a browser keeps an offered join in mind, in seconds: as long as the offer can stand.
const JOIN_LIFE: u64 = 600;

/// Asks whoever was led to `/link/…` by another site whether they mean it: a page with one form that posts `csrf` to the very
/// address of this request, query included.
///
/// # Errors
/// 500 when the template failed.
pub fn confirm_link(request: &Request, entry: &WebEntry) -> Result<Reply, Problem> {
    let _ = (request, entry);
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "Linking was asked for by another site. Open your account page and link from there.",
    ))
}

/// Says what became of a log-in or a link that failed, with its status, and where to start again: at the entry's own path.
pub fn problem(request: &Request, entry: &WebEntry, problem: &Problem) -> Reply {
    let _ = entry;
    super::problem_page(&request.app, problem, &request.id)
}

/// Keeps an offered join in mind and leads to its page.
pub fn offer_join(request: &Request, pool: &PoolPolicy, join: &Token) -> Reply {
    let jar = Jar::new(request.app.settings.is_https());
    let value = format!("{}.{}", join.expose(), pool.name);
    Reply::found("/join").cookie(&jar.set(Cookie::Join, &value, Some(JOIN_LIFE)))
}

/// The join this browser was offered, and its pool.
pub fn offered_join(request: &Request) -> Option<(Token, PoolName)> {
    let jar = Jar::new(request.app.settings.is_https());
    let (token, pool) = jar.read(&request.headers, Cookie::Join)?.split_once('.')?;
    let sound = token.len() == TOKEN_LENGTH && pool.len() <= 64;
    sound.then(|| (Token::presented(token), PoolName::new(pool)))
}
