//! `authPath` of an entry for Kerberos: the browser shows a ticket by itself (RFC 4559), or there is a form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::service::TicketTaken;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, StatusCode};

use super::directory::{self, Asked, asked};
use super::{outcome, refusal, start};
use crate::entries::{CredentialFields, WebEntry};
use crate::extract::{Request, body, origin};
use crate::pages;
use crate::problem::Problem;
use crate::reply::Reply;

const NEGOTIATE: &str = "Negotiate";

/// `GET` and `POST`: in by a ticket; without one the browser is asked for it, and people see the other ways meanwhile.
pub async fn call(
    mut request: Request,
    entry: &WebEntry,
    passwords: Option<&CredentialFields>,
) -> Result<Reply, Problem> {
    let mut csrf = None;
    if request.method == Method::POST {
        if !origin::is_own(&request) {
            return Err(pages::form::stale());
        }
        let mut sent = body::read(&mut request).await?.object()?;
        if let Some(fields) = passwords.filter(|fields| sent.contains_key(&fields.username)) {
            return directory::by_password(&request, entry, fields, sent).await;
        }
        csrf = directory::text(&mut sent, "csrf")?;
    }
    let pool = start::pool_of(&request, entry)?.clone();
    let ask = match asked(&request, entry, &pool, csrf.as_deref()).await? {
        Asked::Ask(ask) => ask,
        Asked::Answer(reply) => return Ok(reply),
    };
    let Some(ticket) = shown(&request) else {
        return ask_for_one(&request, entry);
    };
    // What is no base64 is no ticket: the adapter says so.
    let ticket = STANDARD.decode(ticket.as_bytes()).unwrap_or_default();
    let services = &request.app.services;
    let taken = services
        .finish_by_ticket(&entry.name, &ticket, *ask, request.origin())
        .await;
    match taken {
        Ok(TicketTaken { finished, reply }) => {
            let settled = match finished {
                Ok(finished) => outcome::settle(&request, entry, finished).await,
                Err(error) => Err(Problem::of(error, &pool)),
            };
            let answer = match settled {
                Ok(answer) => answer,
                Err(problem) => refusal::refuse(&request, entry, problem)?,
            };
            Ok(proving(answer, reply.as_deref()))
        }
        Err(error) => refusal::refuse(&request, entry, Problem::of(error, &pool)),
    }
}

/// What stands behind `Negotiate`, if one line of it does.
fn shown(request: &Request) -> Option<String> {
    let mut lines = request.headers.get_all(AUTHORIZATION).iter();
    let line = lines.next()?.to_str().ok()?.trim();
    if lines.next().is_some() {
        return None;
    }
    let (scheme, rest) = line.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case(NEGOTIATE)
        .then(|| rest.trim().to_owned())
}

/// 401 with the challenge; the page is seen by whoever has no ticket.
fn ask_for_one(request: &Request, entry: &WebEntry) -> Result<Reply, Problem> {
    let reply = if super::is_program(request, entry) || !pages::is_wanted(&request.headers) {
        Problem::authorization_required().into_reply(&request.id)
    } else {
        pages::external::directory::show(request, entry, StatusCode::UNAUTHORIZED, None)?
    };
    Ok(reply.header(WWW_AUTHENTICATE, NEGOTIATE))
}

/// Mutual authentication: the browser is told who took its ticket.
fn proving(mut answer: Reply, proof: Option<&[u8]>) -> Reply {
    let Some(proof) = proof else { return answer };
    if let Ok(value) = HeaderValue::try_from(format!("{NEGOTIATE} {}", STANDARD.encode(proof))) {
        answer.headers.insert(WWW_AUTHENTICATE, value);
    }
    answer
}
