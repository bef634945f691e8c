//! `authPath` of a provider's entry: off to the provider, bound to this browser.

use domain::error::Denial;
use domain::flow::login::external::is_code_challenge;
use domain::id::ApplicationId;
use domain::policy::PoolPolicy;
use domain::secret::Token;
use domain::service::{AuthorizationAsk, AuthorizationStarted};
use http::header::{HeaderName, REFERRER_POLICY};
use http::{Method, StatusCode};
use serde_json::{Map, Value};

use super::leave::leave;
use super::link::Caller;
use super::{binding, link, place, refusal};
use crate::entries::WebEntry;
use crate::extract::query::Query;
use crate::extract::{Request, origin};
use crate::pages;
use crate::problem::Problem;
use crate::reply::Reply;

/// Which application calls: asked, and answered to a proxy.
pub static X_APPLICATION_ID: HeaderName = HeaderName::from_static("x-application-id");
static X_APPLICATION_KEY: HeaderName = HeaderName::from_static("x-application-key");

/// `GET` or `POST`: 302 to the provider, or what stands in the way.
pub async fn start(mut request: Request, entry: &WebEntry) -> Result<Reply, Problem> {
    let pool = pool_of(&request, entry)?.clone();
    if request.method == Method::POST && !origin::is_own(&request) {
        return Err(pages::form::stale());
    }
    let ask = match ask(&request, entry, &pool).await {
        Ok(ask) => ask,
        Err(problem) => return refusal::plain(&request, entry, problem),
    };
    let caller = if entry.link {
        match link::caller(&mut request, entry).await? {
            link::Linker::Known(caller) => Some(caller),
            link::Linker::Answer(reply) => return Ok(reply),
        }
    } else {
        None
    };
    let in_json = caller.as_ref().is_some_and(Caller::is_program);
    let ask = AuthorizationAsk {
        caller: caller.map(Caller::into_authenticated),
        ..ask
    };
    let services = &request.app.services;
    match services
        .begin_authorization(&entry.name, ask, request.origin())
        .await
    {
        Ok(started) => {
            let reply = if in_json {
                told(&started)
            } else {
                leave(&request, &started.url, started.form.as_deref())?
            };
            let reply = reply.header(REFERRER_POLICY, "no-referrer");
            Ok(binding::bind(&request, &started, reply))
        }
        Err(error) => refusal::refuse(&request, entry, Problem::of(error, &pool)),
    }
}

/// A program that links in the name of a token cannot follow: it hands the address, and what is to be posted there, to its browser.
fn told(started: &AuthorizationStarted) -> Reply {
    let mut told = Map::from_iter([("url".to_owned(), started.url.as_str().into())]);
    if let Some(form) = &started.form {
        let fields = form
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()));
        told.insert("form".to_owned(), Value::Object(fields.collect()));
    }
    Reply::json(StatusCode::OK, &Value::Object(told))
}

/// The rules of an entry's pool.
pub fn pool_of<'a>(request: &'a Request, entry: &WebEntry) -> Result<&'a PoolPolicy, Problem> {
    request
        .app
        .services
        .pool(&entry.pool)
        .ok_or_else(|| Problem::internal("an entry of no pool"))
}

/// What somebody wants, judged as far as it can be without knowing them.
pub async fn ask(
    request: &Request,
    entry: &WebEntry,
    pool: &PoolPolicy,
) -> Result<AuthorizationAsk, Problem> {
    let query = Query::parse(&request.query);
    let denied = |denial: Denial| Problem::of_denial(&denial, &pool.model);
    let place = match one_of(&query, &["returnTo", "return_to"])? {
        Some(text) => Some(place::judge(text, &request.app.settings).map_err(denied)?),
        None => None,
    };
    let code_challenge = code_challenge(&query).map_err(denied)?;
    let elsewhere = place.as_ref().is_some_and(|place| place.elsewhere);
    // A browser elsewhere has no session of ours: its program fetches one, and must prove that it is the one that asked.
    let fetched = !entry.link && (elsewhere || (!entry.session && !entry.json));
    if fetched && code_challenge.is_none() {
        return Err(denied(Denial::CodeChallengeRequired));
    }
    Ok(AuthorizationAsk {
        caller: None,
        application: application(request, &query, pool).await?,
        return_to: place.map(|place| place.address),
        code_challenge: code_challenge.filter(|_| !entry.link),
    })
}

/// The value of a parameter that has two names. Twice the same, or both names, is no value but a fault.
fn one_of<'a>(query: &'a Query, names: &[&str]) -> Result<Option<&'a str>, Problem> {
    let mut given = query
        .pairs()
        .iter()
        .filter(|(name, _)| names.contains(&name.as_str()));
    let first = given.next().map(|(_, value)| value.as_str());
    if given.next().is_some() {
        let name = names.first().copied().unwrap_or_default();
        return Err(Problem::bad_request(format!("{name} stands there twice")));
    }
    Ok(first.filter(|value| !value.is_empty()))
}

/// The challenge of a client that will fetch its session. Only S256: `plain` would show the verifier to whoever sees the address
/// (RFC 9700 section 2.1.1).
fn code_challenge(query: &Query) -> Result<Option<String>, Denial> {
    let named = |name: &str| query.pairs().iter().any(|(key, _)| key == name);
    if !named("code_challenge") && !named("code_challenge_method") {
        return Ok(None);
    }
    let challenge = query
        .one("code_challenge")
        .filter(|text| is_code_challenge(text))
        .filter(|_| query.one("code_challenge_method") == Some("S256"));
    challenge
        .map(|text| Some(text.to_owned()))
        .ok_or(Denial::CodeChallengeRequired)
}

/// The application that asks, if one does: by headers, or in the address by a key that is no secret.
async fn application(
    request: &Request,
    query: &Query,
    pool: &PoolPolicy,
) -> Result<Option<ApplicationId>, Problem> {
    let by_header = in_headers(request);
    let in_address = by_header.is_none();
    let Some((id, key)) = by_header.or_else(|| in_query(query)) else {
        return Ok(None);
    };
    let (id, key) = (ApplicationId::new(id), Token::presented(key));
    let services = &request.app.services;
    let found = services
        .authenticate_application(&id, &key, request.origin())
        .await;
    let (application, kind) = found.map_err(|error| Problem::of(error, pool))?;
    if in_address && !kind.is_public() {
        return Err(Problem::bad_request(format!(
            "The {} is a secret and addresses are written down: send it as X-Application-Key, and replace this one.",
            kind.name()
        )));
    }
    Ok(Some(application.id))
}

/// Id and key in the address, if either is there; a missing or doubled one is empty, which opens nothing.
fn in_query(query: &Query) -> Option<(String, String)> {
    let names = ["application_id", "application_key"];
    let mut given = query.pairs().iter().map(|(name, _)| name.as_str());
    given.any(|name| names.contains(&name)).then(|| {
        let [id, key] = names.map(|name| query.one(name).unwrap_or_default().to_owned());
        (id, key)
    })
}

/// Id and key as headers, if either is there; a missing or doubled one is empty, which opens nothing.
pub fn in_headers(request: &Request) -> Option<(String, String)> {
    let named = [&X_APPLICATION_ID, &X_APPLICATION_KEY];
    if !named.iter().any(|name| request.headers.contains_key(*name)) {
        return None;
    }
    let [id, key] = named.map(|name| request.header(name).unwrap_or_default().to_owned());
    Some((id, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn a_challenge_is_s256_or_it_is_none() {
        let judged = |query: &str| code_challenge(&Query::parse(query));
        let good = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
        assert_eq!(judged(&good), Ok(Some(CHALLENGE.to_owned())));
        assert_eq!(judged("returnTo=/"), Ok(None));
        for bad in [
            format!("code_challenge={CHALLENGE}"),
            format!("code_challenge={CHALLENGE}&code_challenge_method=plain"),
            format!("{good}&code_challenge={CHALLENGE}"),
            "code_challenge=short&code_challenge_method=S256".to_owned(),
            "code_challenge_method=S256".to_owned(),
        ] {
            assert_eq!(judged(&bad), Err(Denial::CodeChallengeRequired), "{bad}");
        }
    }

    #[test]
    fn two_places_to_return_to_are_none() {
        let names = ["returnTo", "return_to"];
        assert_eq!(one_of(&Query::parse("return_to=/a"), &names), Ok(Some("/a")));
        assert_eq!(one_of(&Query::parse("returnTo="), &names), Ok(None));
        assert!(one_of(&Query::parse("returnTo=/a&return_to=/a"), &names).is_err());
        assert!(one_of(&Query::parse("returnTo=/a&returnTo=/b"), &names).is_err());
    }
}
