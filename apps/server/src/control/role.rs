//! Roles, and who has them.

use domain::access::{Held, Principal, Role, RoleMapping};
use domain::audit::Actor;
use domain::id::{ApplicationId, RoleName};
use domain::service::Services;
use serde::{Deserialize, Serialize};

use super::Operated;
use super::execute::Refusal;
use super::whom::Whom;

/// Members in one answer, at most.
pub const MEMBERS: usize = 1_000;

/// What can be done about roles. A role is meant by its name, or by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum RoleCommand {
    /// Make one.
    Create {
        /// What rules call it.
        name: String,
        /// What it is for.
        description: Option<String>,
    },
    /// All there are.
    List,
    /// Delete one: nobody has it any more.
    Delete {
        /// Which.
        role: String,
    },
    /// Give one to somebody.
    Grant {
        /// Which.
        role: String,
        /// To whom.
        to: Grantee,
    },
    /// Take one from somebody.
    Revoke {
        /// Which.
        role: String,
        /// From whom.
        from: Grantee,
    },
    /// Up to so many of those who have one.
    Members {
        /// Which.
        role: String,
        /// How many at most; no more than [`MEMBERS`].
        limit: usize,
    },
}

/// Who has a role or is to have it, in the operator's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Grantee {
    /// A user.
    User(Whom),
    /// A client application, by its id.
    App(String),
    /// Whoever has another role.
    Role(String),
}

/// What was done about roles.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RoleAnswer {
    /// One was made.
    Created(RoleView),
    /// Those there are.
    Roles(Vec<RoleView>),
    /// One was deleted: its name.
    Deleted(String),
    /// One was given; or was had already.
    Granted(MemberView),
    /// One was taken.
    Revoked(MemberView),
    /// Who has one.
    Members {
        /// How many there are.
        total: u64,
        /// Some or all of them.
        members: Vec<MemberView>,
    },
}

/// A role as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// The names of the roles that whoever has it has as well.
    pub brings: Vec<String>,
    /// How many users, applications and roles have it.
    pub members: u64,
    /// When it was made (ISO 8601).
    pub created: String,
    /// When it was last changed (ISO 8601).
    pub modified: String,
}

/// One who has a role, as operators see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberView {
    /// LoopBack's name of the kind: `USER`, `APP` or `ROLE`.
    pub principal_type: String,
    /// The pool of a user.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pool: Option<String>,
    /// The id of the user, the application or the role.
    pub principal_id: String,
    /// What people call them: address or username, or the name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The role, by its name.
    pub role: String,
    /// The id of the mapping.
    pub mapping: String,
    /// Since when they have it (ISO 8601).
    pub since: String,
}

/// Carries a command out.
///
/// # Errors
/// Why not, for whoever asked.
pub async fn execute(command: RoleCommand, operated: &Operated) -> Result<RoleAnswer, Refusal> {
    let services = &operated.services;
    match command {
        RoleCommand::Create { name, description } => {
            let role = services
                .create_role(&RoleName::new(name), description, Actor::Operator)
                .await?;
            view(services, &role, &[]).await.map(RoleAnswer::Created)
        }
        RoleCommand::List => {
            let roles = services.roles().await?;
            let mut views = Vec::with_capacity(roles.len());
            for role in &roles {
                views.push(view(services, role, &roles).await?);
            }
            Ok(RoleAnswer::Roles(views))
        }
        RoleCommand::Delete { role } => {
            let role = meant(services, &role).await?;
            services.delete_role(&role.id, Actor::Operator).await?;
            Ok(RoleAnswer::Deleted(role.name.to_string()))
        }
        RoleCommand::Grant { role, to } => {
            let role = meant(services, &role).await?;
            let to = principal(services, &to).await?;
            let mapping = grant(services, &to, &role).await?;
            member(services, &role, to, mapping)
                .await
                .map(RoleAnswer::Granted)
        }
        RoleCommand::Revoke { role, from } => revoke(services, &role, &from).await,
        RoleCommand::Members { role, limit } => members(services, &role, limit).await,
    }
}

/// The role of a name, or else of an id.
///
/// # Errors
/// A sentence where there is none.
pub async fn meant(services: &Services, text: &str) -> Result<Role, Refusal> {
    let roles = services.roles().await?;
    let named = roles.iter().find(|role| role.name.as_str() == text);
    let found = named.or_else(|| roles.iter().find(|role| role.id.as_str() == text));
    found
        .cloned()
        .ok_or_else(|| Refusal::new(format!("there is no role `{}`", text.escape_debug())))
}

/// Gives a role to somebody, who may have it already.
///
/// # Errors
/// A sentence.
pub async fn grant(services: &Services, to: &Principal, role: &Role) -> Result<RoleMapping, Refusal> {
    let given = services.give_role(to, &role.id, Actor::Operator).await?;
    // Both were there a moment ago.
    given.ok_or_else(|| Refusal::new("the role, or who was to have it, is gone meanwhile"))
}

async fn revoke(services: &Services, role: &str, from: &Grantee) -> Result<RoleAnswer, Refusal> {
    let role = meant(services, role).await?;
    let from = principal(services, from).await?;
    let held = services.mappings_of(&from).await?.unwrap_or_default();
    let Some(mapping) = held.into_iter().find(|held| held.role == role.id) else {
        let why = "they were not given that role: what accounts elsewhere or other roles give is taken there";
        return Err(Refusal::new(why));
    };
    services.take_role(&mapping.id, Actor::Operator).await?;
    member(services, &role, from, mapping)
        .await
        .map(RoleAnswer::Revoked)
}

async fn members(services: &Services, role: &str, limit: usize) -> Result<RoleAnswer, Refusal> {
    let role = meant(services, role).await?;
    let total = services.count_principals(&role.id).await?;
    let limit = limit.min(MEMBERS);
    let mut members = Vec::new();
    for Held { principal, mapping } in services.principals_of(&role.id, limit).await? {
        members.push(member(services, &role, principal, mapping).await?);
    }
    Ok(RoleAnswer::Members { total, members })
}

async fn principal(services: &Services, whom: &Grantee) -> Result<Principal, Refusal> {
    Ok(match whom {
        Grantee::User(whom) => Principal::User(whom.find(services).await?.1.key),
        Grantee::App(id) => {
            let id = ApplicationId::new(id.as_str());
            if services.find_application(&id).await?.is_none() {
                let id = id.as_str().escape_debug();
                return Err(Refusal::new(format!("there is no application `{id}`")));
            }
            Principal::Application(id)
        }
        Grantee::Role(name) => Principal::Role(meant(services, name).await?.id),
    })
}

async fn view(services: &Services, role: &Role, all: &[Role]) -> Result<RoleView, Refusal> {
    let named = |mapping: &RoleMapping| all.iter().find(|role| role.id == mapping.role);
    let brings = role.mappings.iter().filter_map(named);
    Ok(RoleView {
        id: role.id.to_string(),
        name: role.name.to_string(),
        description: role.description.clone(),
        brings: brings.map(|role| role.name.to_string()).collect(),
        members: services.count_principals(&role.id).await?,
        created: role.created.to_iso8601(),
        modified: role.modified.to_iso8601(),
    })
}

async fn member(
    services: &Services,
    role: &Role,
    principal: Principal,
    mapping: RoleMapping,
) -> Result<MemberView, Refusal> {
    let (kind, pool, id, name) = match principal {
        Principal::User(key) => {
            let found = match services.pool(&key.pool) {
                Some(pool) => services.find_user(pool, &key.id).await?,
                None => None,
            };
            let name = found.as_ref().and_then(super::user::name_of);
            ("USER", Some(key.pool.to_string()), key.id.to_string(), name)
        }
        Principal::Application(id) => {
            let name = services.find_application(&id).await?.map(|found| found.name);
            ("APP", None, id.to_string(), name)
        }
        Principal::Role(id) => {
            let name = meant(services, id.as_str()).await.ok();
            (
                "ROLE",
                None,
                id.to_string(),
                name.map(|role| role.name.to_string()),
            )
        }
    };
    Ok(MemberView {
        principal_type: kind.to_owned(),
        pool,
        principal_id: id,
        name,
        role: role.name.to_string(),
        mapping: mapping.id.to_string(),
        since: mapping.created.to_iso8601(),
    })
}
