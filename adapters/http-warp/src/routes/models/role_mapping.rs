//! `/api/RoleMappings`: who has which role.

use domain::access::{Held, Principal};
use domain::id::{ApplicationId, PoolName, RoleId, RoleMappingId, UserId, UserKey};
use domain::policy::Policy;
use http::StatusCode;
use serde_json::{Value, json};

use super::filter::{Filter, Where};
use super::{Call, role, short_text};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::wire_id::WireId;

/// Most mappings of one answer.
pub const MOST: usize = 10_000;

/// LoopBack's record. A user of another pool than the one that administers has that pool's model for a type, as LoopBack has it where there
/// are several user models; `principalId` is a text whatever the id is, as there.
pub fn record(held: &Held, policy: &Policy) -> Value {
    let (kind, id) = match &held.principal {
        Principal::User(key) => (type_of(&key.pool, policy), key.id.as_str()),
        Principal::Application(id) => ("APP", id.as_str()),
        Principal::Role(id) => ("ROLE", id.as_str()),
    };
    json!({
        "id": WireId(held.mapping.id.as_str()),
        "principalType": kind,
        "principalId": id,
        "roleId": WireId(held.mapping.role.as_str()),
    })
}

fn type_of<'p>(pool: &PoolName, policy: &'p Policy) -> &'p str {
    match policy.pools.get(pool) {
        Some(known) if policy.admin_pool() != Some(pool) => &known.model,
        _ => "USER",
    }
}

/// Who is meant by a type and an id. A pool may be called by its name, too.
fn principal(kind: &str, id: &str, policy: &Policy) -> Option<Principal> {
    let user = |pool: &PoolName| {
        Principal::User(UserKey {
            pool: pool.clone(),
            id: UserId::new(id),
        })
    };
    match kind {
        "USER" => policy.admin_pool().map(user),
        "APP" | "APPLICATION" => Some(Principal::Application(ApplicationId::new(id))),
        "ROLE" => Some(Principal::Role(RoleId::new(id))),
        named => {
            let mut pools = policy.pools.values();
            let pool = pools.find(|pool| pool.model == named || pool.name.as_str() == named)?;
            Some(user(&pool.name))
        }
    }
}

/// The mappings that can fit a condition: those of a principal or a role, where it names one; else all.
async fn candidates(call: &Call, condition: &Where, most: usize) -> Result<Vec<Value>, Problem> {
    let (services, policy) = (call.services(), call.services().policy());
    let problem = |error| call.problem(error);
    let records = |held: Vec<Held>| held.iter().map(|held| record(held, policy)).collect();
    if let (Some(kind), Some(id)) = (condition.equal("principalType"), condition.equal("principalId")) {
        let Some(principal) = principal(&kind, &id, policy) else {
            return Ok(Vec::new());
        };
        let mappings = services.mappings_of(&principal).await.map_err(problem)?;
        let access = services.access().await;
        let access = access.map_err(|error| Problem::of_port(&error))?;
        // What is left of roles that are gone is nobody's business.
        let living = mappings.unwrap_or_default().into_iter();
        let living = living.filter(|mapping| access.role(&mapping.role).is_some());
        let held = living.map(|mapping| Held {
            principal: principal.clone(),
            mapping,
        });
        return Ok(records(held.collect()));
    }
    if let Some(role) = condition.equal("roleId") {
        let held = services.principals_of(&RoleId::new(role), most).await;
        return Ok(records(held.map_err(problem)?));
    }
    let mut all = Vec::new();
    for role in services.roles().await.map_err(problem)? {
        let held = services.principals_of(&role.id, most - all.len()).await;
        all.extend(held.map_err(problem)?);
        if all.len() >= most {
            break;
        }
    }
    Ok(records(all))
}

async fn filtered(call: &Call) -> Result<Vec<Value>, Problem> {
    let filter = Filter::of(&call.query())?;
    candidates(call, filter.condition(), MOST).await
}

/// 200 with mappings.
pub async fn find(call: Call) -> Result<Reply, Problem> {
    let records = filtered(&call).await?;
    call.found(records)
}

/// 200 with the first of them.
pub async fn find_one(call: Call) -> Result<Reply, Problem> {
    let records = filtered(&call).await?;
    call.found_one(records)
}

/// 200 with how many there are.
pub async fn count(call: Call) -> Result<Reply, Problem> {
    let condition = Where::alone(&call.query())?;
    let records = candidates(&call, &condition, MOST).await?;
    call.counted(&records)
}

/// The mapping of the path.
async fn named(call: &Call) -> Result<Option<Held>, Problem> {
    let held = call.services().find_mapping(&RoleMappingId::new(&call.id)).await;
    held.map_err(|error| call.problem(error))
}

/// 200 with one.
pub async fn find_by_id(call: Call) -> Result<Reply, Problem> {
    let held = named(&call).await?;
    let policy = call.services().policy();
    call.record(held.map(|held| record(&held, policy)))
}

/// Whether there is one.
pub async fn exists(call: Call) -> Result<Reply, Problem> {
    let exists = named(&call).await?.is_some();
    call.exists(exists)
}

/// 200 with a new mapping; with the one there is, if they have the role already.
pub async fn create(call: Call) -> Result<Reply, Problem> {
    give(call, None).await
}

/// Gives the role of the path, or of the body, to whom the body names.
pub async fn give(mut call: Call, role: Option<RoleId>) -> Result<Reply, Problem> {
    let mut input = call.input().await?;
    let kind = short_text(&mut input, "principalType")?;
    let Some(id) = short_text(&mut input, "principalId")?.filter(|id| !id.is_empty()) else {
        return Err(call.invalid("principalId", "presence", "can't be blank"));
    };
    let said = short_text(&mut input, "roleId")?.map(RoleId::new);
    let Some(role) = role.or(said) else {
        return Err(call.invalid("roleId", "presence", "can't be blank"));
    };
    let policy = call.services().policy();
    let Some(principal) = principal(kind.as_deref().unwrap_or("USER"), &id, policy) else {
        return Err(call.invalid("principalType", "inclusion", "is not included in the list"));
    };
    let given = call.services().give_role(&principal, &role, call.actor()).await;
    let Some(mapping) = given.map_err(|error| call.problem(error))? else {
        return Err(call.invalid("principalId", "existence", "or the role does not exist"));
    };
    Ok(Reply::json(
        StatusCode::OK,
        &record(&Held { principal, mapping }, policy),
    ))
}

/// 200 with how many went; from now on they have it no more.
pub async fn delete(call: Call) -> Result<Reply, Problem> {
    let taken = call
        .services()
        .take_role(&RoleMappingId::new(&call.id), call.actor())
        .await;
    Ok(Call::deleted(taken.map_err(|error| call.problem(error))?))
}

/// 200 with the role of a mapping.
pub async fn role(call: Call) -> Result<Reply, Problem> {
    let held = named(&call).await?.ok_or_else(|| call.unknown())?;
    let roles = call.services().roles().await;
    let roles = roles.map_err(|error| call.problem(error))?;
    let found = roles.iter().find(|role| role.id == held.mapping.role);
    call.record(found.map(role::record))
}
