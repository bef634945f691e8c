//! `/api/Applications`: client applications and their keys. An application's own clients at providers: `routes/applications`.

use domain::application::{Application, ApplicationDetails, ApplicationKeys};
use domain::error::Denial;
use domain::id::ApplicationId;
use domain::secret::Token;
use domain::service::ApplicationChange;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::users::input::Input;
use super::{Call, short_text};
use crate::problem::Problem;
use crate::reply::Reply;

/// Most applications of one answer, and how many are read at once.
const MOST: usize = 10_000;
const PAGE: usize = 200;

/// LoopBack's record, without its keys: what is stored of them are hashes.
fn record(application: &Application) -> Value {
    let mut record = match serde_json::to_value(&application.details) {
        Ok(Value::Object(details)) => details,
        _ => Map::new(),
    };
    record.insert("id".to_owned(), json!(application.id));
    record.insert("name".to_owned(), json!(application.name));
    let enabled = application.disabled.is_none();
    record.insert("authenticationEnabled".to_owned(), json!(enabled));
    record.insert("created".to_owned(), json!(application.created.to_iso8601()));
    record.insert("modified".to_owned(), json!(application.modified.to_iso8601()));
    Value::Object(record)
}

/// The same with new keys, which are shown this once.
fn with_keys(application: &Application, keys: &ApplicationKeys) -> Value {
    let mut record = record(application);
    if let Some(record) = record.as_object_mut() {
        let shown = keys.each();
        record.extend(shown.map(|(kind, key)| (kind.name().to_owned(), json!(key.expose()))));
    }
    record
}

async fn records(call: &Call) -> Result<Vec<Value>, Problem> {
    let mut all: Vec<Application> = Vec::new();
    loop {
        let after = all.last().map(|application| application.id.clone());
        let page = call.services().list_applications(after, PAGE).await;
        let page = page.map_err(|error| call.problem(error))?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last || all.len() >= MOST {
            return Ok(all.iter().map(record).collect());
        }
    }
}

/// The application of the path.
async fn named(call: &Call) -> Result<Option<Application>, Problem> {
    let id = ApplicationId::new(&call.id);
    let found = call.services().find_application(&id).await;
    found.map_err(|error| call.problem(error))
}

/// 200 with the applications.
pub async fn find(call: Call) -> Result<Reply, Problem> {
    call.found(records(&call).await?)
}

/// 200 with the first of them.
pub async fn find_one(call: Call) -> Result<Reply, Problem> {
    call.found_one(records(&call).await?)
}

/// 200 with how many there are.
pub async fn count(call: Call) -> Result<Reply, Problem> {
    call.counted(&records(&call).await?)
}

/// 200 with one.
pub async fn find_by_id(call: Call) -> Result<Reply, Problem> {
    let application = named(&call).await?;
    call.record(application.as_ref().map(record))
}

/// Whether there is one.
pub async fn exists(call: Call) -> Result<Reply, Problem> {
    let exists = named(&call).await?.is_some();
    call.exists(exists)
}

/// 200 with a new application and its keys. Whoever registers one owns it, unless another owner is named.
pub async fn create(mut call: Call) -> Result<Reply, Problem> {
    let mut input = call.input().await?;
    let name = short_text(&mut input, "name")?.unwrap_or_default();
    let mut said = input.rest();
    if let Some(caller) = &call.caller {
        let owner = caller.user.key.id.as_str();
        said.entry("owner").or_insert_with(|| json!(owner));
    }
    said.entry("status").or_insert_with(|| json!("sandbox"));
    let details = ApplicationDetails::from_client(said);
    let details = details.map_err(|faults| call.problem(Denial::Invalid(faults).into()))?;
    let made = call
        .services()
        .create_application(&name, details, &call.actor())
        .await;
    let (application, keys) = made.map_err(|error| call.problem(error))?;
    Ok(Reply::json(StatusCode::OK, &with_keys(&application, &keys)))
}

/// 200 with the application as it is now; what was not sent stays.
pub async fn patch(call: Call) -> Result<Reply, Problem> {
    change(call, false).await
}

/// 200 with the application as it is now; what was not sent vanishes.
pub async fn replace(call: Call) -> Result<Reply, Problem> {
    change(call, true).await
}

async fn change(mut call: Call, replaces: bool) -> Result<Reply, Problem> {
    let mut input = call.input().await?;
    let name = short_text(&mut input, "name")?;
    if replaces && name.is_none() {
        return Err(call.invalid("name", "presence", "can't be blank"));
    }
    let change = ApplicationChange {
        name,
        enabled: enabled(&mut input)?,
        details: input.rest(),
        replaces,
    };
    let id = ApplicationId::new(&call.id);
    let changed = call
        .services()
        .change_application(&id, &change, &call.actor())
        .await;
    let changed = changed.map_err(|error| call.problem(error))?;
    call.record(changed.as_ref().map(record))
}

/// LoopBack's word for an application whose keys open something.
fn enabled(input: &mut Input) -> Result<Option<bool>, Problem> {
    let name = "authenticationEnabled";
    input.has(name).then(|| input.flag(name)).transpose()
}

/// 200 with how many went.
pub async fn delete(call: Call) -> Result<Reply, Problem> {
    let id = ApplicationId::new(&call.id);
    let gone = call.services().delete_application(&id, &call.actor()).await;
    Ok(Call::deleted(gone.map_err(|error| call.problem(error))?))
}

/// 200 with new keys; the former ones open nothing from now on.
pub async fn reset_keys(call: Call) -> Result<Reply, Problem> {
    let id = ApplicationId::new(&call.id);
    let reset = call.services().reset_application_keys(&id, &call.actor()).await;
    let reset = reset.map_err(|error| call.problem(error))?;
    call.record(reset.map(|(application, keys)| with_keys(&application, &keys)))
}

/// 200 with the application and the kind of its key, for whoever has both; tries are counted.
pub async fn authenticate(mut call: Call) -> Result<Reply, Problem> {
    let mut input = Input::read(&mut call.request).await?;
    let id = input.text("id")?.or(input.text("appId")?).unwrap_or_default();
    let key = input.text("key")?.unwrap_or_default();
    let known = call
        .services()
        .authenticate_application(
            &ApplicationId::new(id),
            &Token::presented(key),
            call.request.origin(),
        )
        .await;
    let (application, kind) = known.map_err(|error| call.problem(error))?;
    let answer = json!({ "application": record(&application), "keyType": kind.name() });
    Ok(Reply::json(StatusCode::OK, &answer))
}
