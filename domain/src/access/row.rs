//! A rule that is kept in the store: LoopBack's `ACL` model.

use serde::{Deserialize, Serialize};

use super::{AccessType, AclRule, Permission, PrincipalType};
use crate::id::AclId;

/// One stored rule. Its words are LoopBack's, so that what was imported reads as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AclRow {
    /// Names it.
    pub id: AclId,
    /// The model it is about; none for every one (`*`).
    pub model: Option<String>,
    /// The method it is about; none for all (`*`).
    pub property: Option<String>,
    /// The access it is about; none for every kind (`*`).
    pub access: Option<AccessType>,
    /// What it says.
    pub permission: Permission,
    /// What kind of principal it names.
    pub principal_type: PrincipalType,
    /// The role, or the id of the user or application.
    pub principal: String,
}

impl AclRow {
    /// The rule it is.
    pub fn rule(&self) -> AclRule {
        AclRule {
            model: self.model.clone(),
            principal_type: self.principal_type,
            principal: self.principal.clone(),
            permission: self.permission,
            properties: self.property.iter().cloned().collect(),
            access: self.access,
        }
    }
}
