//! `/api/ACLs`: stored access rules.

use domain::access::{AccessType, AclRow, Permission, PrincipalType};
use domain::id::AclId;
use http::StatusCode;
use serde_json::{Value, json};

use super::super::users::input::Input;
use super::{Call, short_text};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::wire_id::WireId;

/// LoopBack's word for everything.
const ALL: &str = "*";

/// LoopBack's record.
fn record(row: &AclRow) -> Value {
    json!({
        "id": WireId(row.id.as_str()),
        "model": row.model.as_deref().unwrap_or(ALL),
        "property": row.property.as_deref().unwrap_or(ALL),
        "accessType": row.access.map_or(ALL, AccessType::word),
        "permission": match row.permission {
            Permission::Allow => "ALLOW",
            Permission::Deny => "DENY",
        },
        "principalType": match row.principal_type {
            PrincipalType::Role => "ROLE",
            PrincipalType::App => "APP",
            PrincipalType::User => "USER",
        },
        "principalId": row.principal,
    })
}

async fn all(call: &Call) -> Result<Vec<AclRow>, Problem> {
    call.services().rules().await.map_err(|error| call.problem(error))
}

async fn records(call: &Call) -> Result<Vec<Value>, Problem> {
    Ok(all(call).await?.iter().map(record).collect())
}

/// The rule of the path.
async fn named(call: &Call) -> Result<Option<AclRow>, Problem> {
    let mut rows = all(call).await?.into_iter();
    Ok(rows.find(|row| row.id.as_str() == call.id))
}

/// 200 with the rules.
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
    let row = named(&call).await?;
    call.record(row.as_ref().map(record))
}

/// Whether there is one.
pub async fn exists(call: Call) -> Result<Reply, Problem> {
    let exists = named(&call).await?.is_some();
    call.exists(exists)
}

/// 200 with a new rule.
pub async fn create(mut call: Call) -> Result<Reply, Problem> {
    let input = call.input().await?;
    let id = call.services().draw_rule_id();
    let row = said(&call, input, id, None)?;
    put(&call, row).await
}

/// 200 with the rule as it is now; what was not sent stays.
pub async fn patch(mut call: Call) -> Result<Reply, Problem> {
    let input = call.input().await?;
    let before = named(&call).await?.ok_or_else(|| call.unknown())?;
    let row = said(&call, input, before.id.clone(), Some(&before))?;
    put(&call, row).await
}

/// 200 with the rule as it is now; what was not sent is about everything.
pub async fn replace(mut call: Call) -> Result<Reply, Problem> {
    let input = call.input().await?;
    let before = named(&call).await?.ok_or_else(|| call.unknown())?;
    let row = said(&call, input, before.id, None)?;
    put(&call, row).await
}

/// 200 with how many went.
pub async fn delete(call: Call) -> Result<Reply, Problem> {
    let gone = call
        .services()
        .delete_rule(&AclId::new(&call.id), call.actor())
        .await;
    Ok(Call::deleted(gone.map_err(|error| call.problem(error))?))
}

async fn put(call: &Call, row: AclRow) -> Result<Reply, Problem> {
    let stored = call.services().put_rule(&row, call.actor()).await;
    stored.map_err(|error| call.problem(error))?;
    Ok(Reply::json(StatusCode::OK, &record(&row)))
}

/// What a body says, over what was there before. Every word must be one of LoopBack's: a rule that says less than it means would open or
/// shut the wrong door.
fn said(call: &Call, mut input: Input, id: AclId, before: Option<&AclRow>) -> Result<AclRow, Problem> {
    let unlisted = |property| call.invalid(property, "inclusion", "is not included in the list");
    let missing = |property| call.invalid(property, "presence", "can't be blank");
    let mut word = |name| short_text(&mut input, name).map(|text| text.filter(|text| !text.is_empty()));
    let some = |text: String| Some(text).filter(|text| text != ALL);
    let model = match word("model")? {
        Some(model) => some(model),
        None => before.ok_or_else(|| missing("model"))?.model.clone(),
    };
    let property = match word("property")? {
        Some(property) => some(property),
        None => before.and_then(|row| row.property.clone()),
    };
    let access = match word("accessType")? {
        Some(all) if all == ALL => None,
        Some(access) => Some(AccessType::parse(&access).ok_or_else(|| unlisted("accessType"))?),
        None => before.and_then(|row| row.access),
    };
    let permission = match word("permission")?.as_deref() {
        Some("ALLOW") => Permission::Allow,
        Some("DENY") => Permission::Deny,
        Some(_) => return Err(unlisted("permission")),
        None => before.ok_or_else(|| missing("permission"))?.permission,
    };
    let principal_type = match word("principalType")?.as_deref() {
        Some("ROLE") => PrincipalType::Role,
        Some("USER") => PrincipalType::User,
        Some("APP" | "APPLICATION") => PrincipalType::App,
        Some(_) => return Err(unlisted("principalType")),
        None => before.ok_or_else(|| missing("principalType"))?.principal_type,
    };
    let principal = match word("principalId")? {
        Some(principal) => principal,
        None => before.ok_or_else(|| missing("principalId"))?.principal.clone(),
    };
    Ok(AclRow {
        id,
        model,
        property,
        access,
        permission,
        principal_type,
        principal,
    })
}
