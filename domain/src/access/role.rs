//! Roles that are given by hand, and to whom: LoopBack's `Role` and `RoleMapping`.

use serde::{Deserialize, Serialize};

use crate::id::{ApplicationId, RoleId, RoleMappingId, RoleName, UserKey};
use crate::time::Timestamp;

/// A role of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Names it, whatever it is called.
    pub id: RoleId,
    /// What rules call it; no two roles share a name.
    pub name: RoleName,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The roles that whoever has this one has as well: mappings whose principal is this role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<RoleMapping>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
}

/// Who can have a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A user.
    User(UserKey),
    /// A client application.
    Application(ApplicationId),
    /// Whoever has another role.
    Role(RoleId),
}

/// A role that a principal has. It is kept with its principal (a user, an application, a role), and goes when they go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleMapping {
    /// Names it. Not a secret.
    pub id: RoleMappingId,
    /// The role; one that is gone gives nothing.
    pub role: RoleId,
    /// When it was given.
    pub created: Timestamp,
}

/// A mapping with whoever has it: one row of LoopBack's `RoleMapping`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who has the role.
    pub principal: Principal,
    /// Which, and since when.
    pub mapping: RoleMapping,
}
