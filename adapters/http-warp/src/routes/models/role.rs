//! `/api/Roles`: roles, and who has one.

use domain::access::Role;
use domain::id::{RoleId, RoleMappingId, RoleName};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::role_mapping::{self, MOST};
use super::{Call, short_text};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::wire_id::WireId;

/// LoopBack's record.
pub fn record(role: &Role) -> Value {
    let mut record = Map::new();
    record.insert("id".to_owned(), json!(WireId(role.id.as_str())));
    record.insert("name".to_owned(), json!(role.name));
    if let Some(description) = &role.description {
        record.insert("description".to_owned(), json!(description));
    }
    record.insert("created".to_owned(), json!(role.created.to_iso8601()));
    record.insert("modified".to_owned(), json!(role.modified.to_iso8601()));
    Value::Object(record)
}

async fn all(call: &Call) -> Result<Vec<Role>, Problem> {
    call.services().roles().await.map_err(|error| call.problem(error))
}

async fn records(call: &Call) -> Result<Vec<Value>, Problem> {
    Ok(all(call).await?.iter().map(record).collect())
}

/// The role of the path.
async fn named(call: &Call) -> Result<Option<Role>, Problem> {
    let mut roles = all(call).await?.into_iter();
    Ok(roles.find(|role| role.id.as_str() == call.id))
}

/// The same, which must be there.
async fn known(call: &Call) -> Result<Role, Problem> {
    named(call).await?.ok_or_else(|| call.unknown())
}

/// 200 with the roles.
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
    let role = named(&call).await?;
    call.record(role.as_ref().map(record))
}

/// Whether there is one.
pub async fn exists(call: Call) -> Result<Reply, Problem> {
    let exists = named(&call).await?.is_some();
    call.exists(exists)
}

/// 200 with a new role.
pub async fn create(mut call: Call) -> Result<Reply, Problem> {
    let mut input = call.input().await?;
    let name = short_text(&mut input, "name")?.unwrap_or_default();
    let description = short_text(&mut input, "description")?;
    let made = call
        .services()
        .create_role(&RoleName::new(name), description, call.actor())
        .await;
    let made = made.map_err(|error| call.problem(error))?;
    Ok(Reply::json(StatusCode::OK, &record(&made)))
}

/// 200 with the role as it is now; what was not sent stays.
pub async fn patch(mut call: Call) -> Result<Reply, Problem> {
    let mut input = call.input().await?;
    let before = known(&call).await?;
    let clears = input.clears("description");
    let name = short_text(&mut input, "name")?.map_or(before.name, RoleName::new);
    let said = short_text(&mut input, "description")?;
    let description = if clears { None } else { said.or(before.description) };
    change(&call, name, description).await
}

/// 200 with the role as it is now; what was not sent vanishes.
pub async fn replace(mut call: Call) -> Result<Reply, Problem> {
    let mut input = call.input().await?;
    known(&call).await?;
    let name = short_text(&mut input, "name")?.unwrap_or_default();
    let description = short_text(&mut input, "description")?;
    change(&call, RoleName::new(name), description).await
}

async fn change(call: &Call, name: RoleName, description: Option<String>) -> Result<Reply, Problem> {
    let id = RoleId::new(&call.id);
    let changed = call
        .services()
        .change_role(&id, &name, description, call.actor())
        .await;
    let changed = changed.map_err(|error| call.problem(error))?;
    call.record(changed.as_ref().map(record))
}

/// 200 with how many went.
pub async fn delete(call: Call) -> Result<Reply, Problem> {
    let gone = call
        .services()
        .delete_role(&RoleId::new(&call.id), call.actor())
        .await;
    Ok(Call::deleted(gone.map_err(|error| call.problem(error))?))
}

async fn principals_of(call: &Call) -> Result<Vec<Value>, Problem> {
    let role = known(call).await?;
    let held = call.services().principals_of(&role.id, MOST).await;
    let held = held.map_err(|error| call.problem(error))?;
    let policy = call.services().policy();
    Ok(held
        .iter()
        .map(|held| role_mapping::record(held, policy))
        .collect())
}

/// 200 with who has it.
pub async fn principals(call: Call) -> Result<Reply, Problem> {
    call.found(principals_of(&call).await?)
}

/// 200 with how many have it.
pub async fn count_principals(call: Call) -> Result<Reply, Problem> {
    if call.request.query.contains("where") {
        return call.counted(&principals_of(&call).await?);
    }
    let role = known(&call).await?;
    let count = call.services().count_principals(&role.id).await;
    let count = count.map_err(|error| call.problem(error))?;
    Ok(Reply::json(StatusCode::OK, &json!({ "count": count })))
}

/// 200 with the mapping by which somebody has it.
pub async fn give(mut call: Call) -> Result<Reply, Problem> {
    let role = known(&call).await?;
    call.id.clear();
    role_mapping::give(call, Some(role.id)).await
}

/// 200 with one mapping of it.
pub async fn principal(call: Call) -> Result<Reply, Problem> {
    let held = mapped(&call).await?;
    call.record(held)
}

/// 204; from now on they have it no more.
pub async fn take(call: Call) -> Result<Reply, Problem> {
    if mapped(&call).await?.is_none() {
        return Err(call.unknown());
    }
    let taken = call
        .services()
        .take_role(&RoleMappingId::new(&call.fk), call.actor())
        .await;
    taken.map_err(|error| call.problem(error))?;
    Ok(Reply::no_content())
}

/// The mapping of the path, if it is one of the role of the path.
async fn mapped(call: &Call) -> Result<Option<Value>, Problem> {
    let held = call.services().find_mapping(&RoleMappingId::new(&call.fk)).await;
    let held = held.map_err(|error| call.problem(error))?;
    let held = held.filter(|held| held.mapping.role.as_str() == call.id);
    let policy = call.services().policy();
    Ok(held.map(|held| role_mapping::record(&held, policy)))
}
