//! `callbackPath`: back from the provider.

use domain::secret::TokenHash;
use domain::service::Callback;
use http::Method;
use http::header::{HeaderValue, LOCATION};

use super::{binding, outcome, refusal, start};
use crate::entries::WebEntry;
use crate::extract::{Request, body, form};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::routes::own_route;

/// Longest address that what came by `POST` is put into, in bytes.
const LONGEST: usize = 8192;

/// Judges who comes back. By `POST` (`form_post`) a browser leaves the cookie behind that binds the way to it, because another
/// site sent the form (`SameSite=Lax`): such a request is led here again by `GET`, and then the cookie comes along.
pub async fn callback(mut request: Request, entry: &WebEntry) -> Result<Reply, Problem> {
    let params = params(&mut request).await?;
    let flow = Callback::flow(&params);
    let browser = flow.as_ref().and_then(|flow| binding::held(&request, flow));
    if request.method == Method::POST && browser.is_none() {
        return again_by_get(&request, &params);
    }
    let services = &request.app.services;
    let pool = start::pool_of(&request, entry)?;
    let came = Callback { params, browser };
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

/// All parameters, doubled ones too: what they mean is judged elsewhere.
async fn params(request: &mut Request) -> Result<Vec<(String, String)>, Problem> {
    if request.method != Method::POST {
        return Ok(form_urlencoded::parse(request.query.as_bytes())
            .into_owned()
            .collect());
    }
    if !body::is_form(request) {
        return Err(Problem::unsupported_media_type());
    }
    let bytes = request.read_body().await?;
    let pairs = form::pairs(&bytes).ok_or_else(|| Problem::bad_request("The form is not valid UTF-8."))?;
    Ok(pairs
        .into_iter()
        .map(|(name, value)| (name, value.to_string()))
        .collect())
}

fn again_by_get(request: &Request, params: &[(String, String)]) -> Result<Reply, Problem> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(params);
    let query = query.finish();
    if query.len() > LONGEST {
        return Err(Problem::bad_request(
            "The provider sent more than an answer can be.",
        ));
    }
    Ok(Reply::see_other(&format!("{}?{query}", request.path)))
}
