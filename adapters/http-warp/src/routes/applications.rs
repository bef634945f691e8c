//! `/api/Applications/{id}/credentials`: an application's own clients at providers, set by whoever holds its master key. All
//! other calls about applications are for administrators (`models/application`): LoopBack's show every key to everybody.

use domain::application::{Application, ApplicationCredential, KeyType};
use domain::error::{Denial, DomainError};
use domain::id::{ApplicationId, ProviderName};
use domain::secret::{Secret, Token};
use domain::service::NewApplicationCredential;
use http::StatusCode;
use serde_json::{Map, Value, json};
use url::{Host, Url};

use super::external::in_headers;
use super::users::input::Input;
use super::{Handler, Matched, handler};
use crate::extract::{Request, body};
use crate::problem::Problem;
use crate::reply::Reply;

/// The collection's name in paths.
pub const COLLECTION: &str = "applications";

/// Longest text of a credential, in bytes.
const LONGEST: usize = 2048;

/// Longest name of a provider, in bytes.
const LONGEST_NAME: usize = 100;

/// Most clients one application keeps.
const MOST: usize = 50;

/// Every call about applications.
pub const ROUTES: &[(&str, &str, Handler)] = &[
    ("/api/applications/{id}/credentials", "GET", handler!(list)),
    ("/api/applications/{id}/credentials/{fk}", "GET", handler!(find)),
    ("/api/applications/{id}/credentials/{fk}", "PUT", handler!(set)),
    (
        "/api/applications/{id}/credentials/{fk}",
        "DELETE",
        handler!(remove),
    ),
];

/// 200 with all of an application's clients, never their secrets.
async fn list(request: Request, matched: Matched) -> Result<Reply, Problem> {
    let application = authenticated(&request, &matched).await?;
    let all = application.credentials.iter();
    let records: Vec<Value> = all
        .map(|credential| record(credential, &application.id))
        .collect();
    Ok(Reply::json(StatusCode::OK, &records))
}

/// 200 with its client at one provider.
async fn find(request: Request, matched: Matched) -> Result<Reply, Problem> {
    let application = authenticated(&request, &matched).await?;
    let credential = application.credential(&provider(&matched)).ok_or_else(unknown)?;
    Ok(Reply::json(StatusCode::OK, &record(credential, &application.id)))
}

/// 200 with its client at a provider, in place of an older one.
async fn set(mut request: Request, matched: Matched) -> Result<Reply, Problem> {
    let application = authenticated(&request, &matched).await?;
    let provider = provider(&matched);
    let is_new = application.credential(&provider).is_none();
    if !is_name(provider.as_str()) || (is_new && application.credentials.len() >= MOST) {
        return Err(Problem::bad_request("no such provider, or too many"));
    }
    let new = sent(&mut request, provider).await?;
    let services = &request.app.services;
    let credential = services.set_application_credential(&application.id, new).await;
    let credential = credential.map_err(problem)?;
    Ok(Reply::json(StatusCode::OK, &record(&credential, &application.id)))
}

/// 204; from now on the entry's own client stands in.
async fn remove(request: Request, matched: Matched) -> Result<Reply, Problem> {
    let application = authenticated(&request, &matched).await?;
    let services = &request.app.services;
    let removed = services
        .remove_application_credential(&application.id, &provider(&matched))
        .await;
    if removed.map_err(problem)? {
        Ok(Reply::no_content())
    } else {
        Err(unknown())
    }
}

/// The application of the path, if the headers hold its master key. Every other answer is the same.
async fn authenticated(request: &Request, matched: &Matched) -> Result<Application, Problem> {
    let refused = || problem(Denial::ApplicationRefused.into());
    let (id, key) = in_headers(request).ok_or_else(refused)?;
    let services = &request.app.services;
    let (application, kind) = services
        .authenticate_application(&ApplicationId::new(id), &Token::presented(key), request.origin())
        .await
        .map_err(problem)?;
    let own = matched.id.as_deref() == Some(application.id.as_str()) && kind == KeyType::MasterKey;
    own.then_some(application).ok_or_else(refused)
}

fn provider(matched: &Matched) -> ProviderName {
    ProviderName::new(matched.fk.as_deref().unwrap_or_default())
}

/// What a client sent: LoopBack's shape with `credentials`, or its fields beside the others.
async fn sent(request: &mut Request, provider: ProviderName) -> Result<NewApplicationCredential, Problem> {
    let mut fields = body::read(request).await?.object()?;
    match fields.remove("credentials") {
        None | Some(Value::Null) => {}
        Some(Value::Object(inner)) => fields.extend(inner),
        Some(_) => return Err(Problem::bad_request("credentials must be an object")),
    }
    let is_oauth1 = fields.contains_key("consumerKey");
    let (id, secret, usual) = if is_oauth1 {
        ("consumerKey", "consumerSecret", "oAuth1")
    } else {
        ("clientID", "clientSecret", "oAuth 2.0")
    };
    let mut input = Input::of(bounded(fields)?);
    let client_id = input.required(id)?;
    let client_secret = input
        .text(secret)?
        .filter(|text| !text.is_empty())
        .map(Secret::new);
    let auth_scheme = input.text("authScheme")?.unwrap_or_else(|| usual.to_owned());
    let callback_url = input.text("callbackURL")?.filter(|text| !text.is_empty());
    if !callback_url.as_deref().is_none_or(is_callback) {
        return Err(Problem::bad_request("callbackURL must be a whole https address"));
    }
    Ok(NewApplicationCredential {
        provider,
        auth_scheme,
        client_id,
        client_secret,
        callback_url,
    })
}

/// Whether codes may be sent there: https, or plain on this machine; no user, and no fragment (RFC 6749 section 3.1.2).
fn is_callback(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    bare && (url.scheme() == "https" || (url.scheme() == "http" && here))
}

/// Whether a text can be the name of a provider.
fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && !text.chars().any(char::is_control)
}

/// The same, if nothing in it is overlong or holds control characters: it ends in addresses and headers.
fn bounded(fields: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let sound = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        text.len() <= LONGEST && !text.chars().any(char::is_control)
    };
    let all = fields.values().all(sound);
    all.then_some(fields)
        .ok_or_else(|| Problem::bad_request("a value is too long or holds control characters"))
}

/// LoopBack's `ApplicationCredential`, without the secret.
fn record(credential: &ApplicationCredential, application: &ApplicationId) -> Value {
    let is_oauth1 = credential.auth_scheme.to_ascii_lowercase().starts_with("oauth1")
        || credential.auth_scheme.eq_ignore_ascii_case("oauth")
        || credential.auth_scheme.eq_ignore_ascii_case("oauth 1.0");
    let id = if is_oauth1 { "consumerKey" } else { "clientID" };
    let mut credentials = json!({ id: credential.client_id });
    if let (Some(object), Some(url)) = (credentials.as_object_mut(), &credential.callback_url) {
        object.insert("callbackURL".to_owned(), json!(url));
    }
    json!({
        "provider": credential.provider.as_str(),
        "authScheme": credential.auth_scheme,
        "credentials": credentials,
        "created": credential.created.to_iso8601(),
        "modified": credential.modified.to_iso8601(),
        "appId": application.as_str(),
    })
}

fn problem(error: DomainError) -> Problem {
    match error {
        DomainError::Denied(denial) => Problem::of_denial(&denial, "Application"),
        DomainError::Port(error) => Problem::of_port(&error),
    }
}

fn unknown() -> Problem {
    Problem::not_found("the application has no client of its own at that provider").coded("MODEL_NOT_FOUND")
}
