//! `callbackPath`: back from the provider.

use domain::secret::TokenHash;
use domain::service::Callback;
use http::Method;
use http::header::{HeaderValue, LOCATION};

use super::{binding, outcome, refusal, start};
use crate::entries::WebEntry;
use crate::extract::{Request, body, form, origin};
use crate::pages;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::own_route;

/// What our own form says in its address.
const AGAIN: &str = "again=1";

/// Longest address that what came by `POST` is put into, in bytes.
const LONGEST: usize = 8192;

/// Judges who comes back. By `POST` (`form_post`, SAML) a browser leaves the cookie behind that binds the way to it, because another
/// site sent the form (`SameSite=Lax`): such a request is led here once more by our own site, and then the cookie comes along.
pub async fn callback(mut request: Request, entry: &WebEntry) -> Result<Reply, Problem> {
    if let Some(bytes) = entry.largest_answer() {
        request.allow_body(bytes);
    }
    let params = params(&mut request).await?;
    let flow = Callback::flow(&params);
    let browser = flow.as_ref().and_then(|flow| binding::held(&request, flow));
    let by_post = request.method == Method::POST;
    if by_post && browser.is_none() && !is_second_try(&request) {
        return again(&request, &params);
    }
    let services = &request.app.services;
    let pool = start::pool_of(&request, entry)?;
    let came = Callback {
        params,
        browser,
        posted: by_post,
    };
    let finished = services
        .finish_authorization(&entry.name, came, request.origin())
        .await;
    let reply = match finished {
        Ok(finished) => outcome::settle(&request, entry, finished).await,
        Err(error) => Err(Problem::of(error, pool)),
    };
    let reply = match reply {
        Ok(reply) => Ok(reply),
        Err(problem) => refusal::refuse(&request, entry, problem),
    };
    Ok(ended(&request, entry, released(&request, flow, reply)))
}

/// The answer, without the cookie of this way: whatever came of it, it is over.
fn released(request: &Request, flow: Option<TokenHash>, reply: Result<Reply, Problem>) -> Reply {
    let reply = reply.unwrap_or_else(|problem| problem.into_reply(&request.id));
    match flow {
        Some(flow) => binding::release(request, &flow, reply),
        None => reply,
    }
}

/// The answer, with an end of its own to the address it leads to: without one a browser appends what the provider left at the end
/// of ours. Our own pages read no fragment.
fn ended(request: &Request, entry: &WebEntry, mut reply: Reply) -> Reply {
    let leads_to = reply.headers.get(LOCATION).and_then(|place| place.to_str().ok());
    let Some(place) = leads_to.filter(|place| entry.stray_fragment && !place.contains('#')) else {
        return reply;
    };
    let path = place.split('?').next().unwrap_or_default();
    if request.app.settings.static_dir.is_none() && own_route(path).is_some() {
        return reply;
    }
    if let Ok(ended) = HeaderValue::try_from(format!("{place}#")) {
        reply.headers.insert(LOCATION, ended);
    }
    reply
}

/// All parameters, doubled ones too: what they mean is judged elsewhere. Of a form those in its address as well: an OpenID 2.0 provider
/// posts its answer to the very address it was given, with the state in it (OpenID Authentication 2.0 section 11.1).
pub async fn params(request: &mut Request) -> Result<Vec<(String, String)>, Problem> {
    let mut params: Vec<(String, String)> = form_urlencoded::parse(request.query.as_bytes())
        .into_owned()
        .collect();
    if request.method != Method::POST {
        return Ok(params);
    }
    if request.query == AGAIN {
        params.clear();
    }
    if !body::is_form(request) {
        return Err(Problem::unsupported_media_type());
    }
    let bytes = request.read_body().await?;
    let pairs = form::pairs(&bytes).ok_or_else(|| Problem::bad_request("The form is not valid UTF-8."))?;
    params.extend(pairs.into_iter().map(|(name, value)| (name, value.to_string())));
    Ok(params)
}

/// Led here by our own site: by `GET`, or by a form of ours where an address does not hold it all.
fn again(request: &Request, params: &[(String, String)]) -> Result<Reply, Problem> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(params);
    let query = query.finish();
    let is_saml = params.iter().any(|(name, _)| name == "SAMLResponse");
    if query.len() > LONGEST || is_saml {
        let action = format!("{}?{AGAIN}", request.path);
        return pages::external::send(request, &action, params);
    }
    Ok(Reply::see_other(&format!("{}?{query}", request.path)))
}

/// Whether our own site led here already: if the cookie is not there now, there is none.
fn is_second_try(request: &Request) -> bool {
    request.query == AGAIN && origin::is_own(request)
}
