//! Who links: somebody with a token in a header, or the browser's own session, then only if nobody else sent it here.

use domain::service::{Authenticated, Authentication};
use http::Method;

use super::{asks_for_json, refusal};
use crate::entries::WebEntry;
use crate::extract::access_token::{self, Source};
use crate::extract::cookies::Jar;
use crate::extract::query::Query;
use crate::extract::{Request, origin};
use crate::pages;
use crate::problem::Problem;
use crate::reply::Reply;

/// Somebody who is logged in and wants to link.
pub struct Caller {
    authenticated: Box<Authenticated>,
    in_json: bool,
}

impl Caller {
    /// Whether a program asks that handles the address itself.
    pub const fn is_program(&self) -> bool {
        self.in_json
    }

    /// Who it is.
    pub fn into_authenticated(self) -> Authenticated {
        *self.authenticated
    }
}

/// What came of looking who links.
pub enum Linker {
    /// Known, and they mean it.
    Known(Caller),
    /// Something comes first: logging in, or saying that it is meant.
    Answer(Reply),
}

/// Finds out who links. A token in the address does not count: anybody can make somebody follow an address with a token of their
/// own in it, and the account elsewhere would be linked to them. A header is set by programs alone, except where a browser goes to
/// an address with `user@` in it: then the token is somebody else's word, too.
pub async fn caller(request: &mut Request, entry: &WebEntry) -> Result<Linker, Problem> {
    let Some(present) = present(request, entry).await? else {
        return log_in_first(request, entry).map(Linker::Answer);
    };
    if !present.by_header && request.method == Method::POST {
        pages::external::confirmed(request).await?;
        return Ok(present.known(request));
    }
    led_here(request, entry, present).await
}

/// The same where the request brings a proof of its own along: by `POST` it has the fields of a form, `csrf` among them where a
/// page of ours sent it.
pub async fn caller_with(request: &Request, entry: &WebEntry, csrf: Option<&str>) -> Result<Linker, Problem> {
    let Some(present) = present(request, entry).await? else {
        return log_in_first(request, entry).map(Linker::Answer);
    };
    if !present.by_header && request.method == Method::POST {
        if !csrf.is_some_and(|sent| pages::is_own_form(request, sent)) {
            return Err(pages::form::stale());
        }
        return Ok(present.known(request));
    }
    led_here(request, entry, present).await
}

/// A browser's own session counts by `GET` only where nobody else led it here.
async fn led_here(request: &Request, entry: &WebEntry, present: Present) -> Result<Linker, Problem> {
    if !present.by_header && !origin::leads_here_itself(request) {
        return pages::external::confirm_link(request, entry)
            .await
            .map(Linker::Answer);
    }
    Ok(present.known(request))
}

/// Somebody who is logged in.
struct Present {
    authenticated: Box<Authenticated>,
    by_header: bool,
}

impl Present {
    fn known(self, request: &Request) -> Linker {
        Linker::Known(Caller {
            authenticated: self.authenticated,
            in_json: self.by_header && asks_for_json(request),
        })
    }
}

/// Who is there.
async fn present(request: &Request, entry: &WebEntry) -> Result<Option<Present>, Problem> {
    let settings = &request.app.settings;
    let jar = Jar::new(settings.is_https());
    let legacy = settings.legacy_cookies.as_ref();
    let presented = access_token::find(&request.headers, &Query::default(), false, jar, legacy);
    let follows = request
        .headers
        .get("sec-fetch-mode")
        .is_some_and(|mode| mode == "navigate");
    let presented = presented.filter(|presented| !follows || presented.source == Source::Cookie);
    let Some(presented) = presented else {
        return Ok(None);
    };
    for reading in &presented.readings {
        let answer = request
            .app
            .services
            .authenticate(reading, Some(&entry.pool))
            .await;
        let pool = super::start::pool_of(request, entry)?;
        if let Authentication::Live(live) = answer.map_err(|error| Problem::of(error, pool))? {
            return Ok(Some(Present {
                authenticated: live,
                by_header: presented.source == Source::Deliberate,
            }));
        }
    }
    Ok(None)
}

/// Nobody is logged in: programs hear so, people log in and come back.
fn log_in_first(request: &Request, entry: &WebEntry) -> Result<Reply, Problem> {
    let problem = Problem::authorization_required();
    if super::is_program(request, entry) || !pages::is_wanted(&request.headers) {
        return Err(problem);
    }
    if entry.failure_redirect.is_some() {
        return refusal::refuse(request, entry, problem);
    }
    let pool = Some(entry.pool.as_str()).filter(|_| entry.pool != request.app.settings.default_pool);
    let here = entry.begins_at(&request.query);
    let pairs = [("pool", pool), ("return_to", pages::place::local(&here))];
    Ok(Reply::found(&pages::place::url("/login", &pairs)))
}
