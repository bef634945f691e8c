//! Roles, who has them, and stored rules.

use std::collections::HashMap;

use domain::access::{AccessState, AccessType, AclRow, Permission, PrincipalType, Role, RoleMapping};
use domain::id::{AclId, RoleId, RoleMappingId, RoleName};

use super::{Rules, created, modified};
use crate::finding::{Findings, What};
use crate::row::Row;

/// The name of every role that is taken, by its id.
pub type Roles = HashMap<String, RoleName>;

/// All roles and rules. `mappings` are those of roles; they are taken where the rules of the import say so.
pub fn access(
    roles: &[Row],
    mappings: &[Row],
    acls: &[Row],
    asked: &Rules,
    findings: &mut Findings,
) -> (AccessState, Roles) {
    let mut state = AccessState::default();
    for row in roles {
        let Some(role) = role(row, findings) else { continue };
        let id = role.id.to_string();
        match state.with_role(role) {
            Ok(next) => state = next,
            Err(_) => findings.note(What::BadRole, format!("role {id}")),
        }
    }
    let names: Roles = state
        .roles
        .iter()
        .map(|role| (role.id.to_string(), role.name.clone()))
        .collect();
    for row in mappings {
        let holder = row.text("principalId").map(RoleId::new);
        let given = mapping(row, &names, findings);
        let (Some(holder), Some(given)) = (holder, given) else {
            continue;
        };
        findings.note(What::NestedRole, format!("role mapping {}", given.id));
        if asked.nested_roles
            && let Some(next) = state.with_mapping(&holder, given)
        {
            state = next;
        }
    }
    for row in acls {
        for rule in acl(row, findings) {
            let id = rule.id.clone();
            match state.with_row(rule) {
                Ok(next) => state = next,
                Err(_) => findings.note(What::RuleWithoutMeaning, format!("ACL {id}")),
            }
        }
    }
    (state, names)
}

fn role(row: &Row, findings: &mut Findings) -> Option<Role> {
    let (Some(id), Some(name)) = (row.said("id"), row.said("name")) else {
        findings.note(
            What::BadRole,
            format!("role {}", row.text("id").unwrap_or_default()),
        );
        return None;
    };
    Some(Role {
        id: RoleId::new(id),
        name: RoleName::new(name),
        description: row.said("description"),
        mappings: Vec::new(),
        created: created(row),
        modified: modified(row),
    })
}

/// What a row of RoleMapping gives; none where its role is gone.
pub fn mapping(row: &Row, roles: &Roles, findings: &mut Findings) -> Option<RoleMapping> {
    let (id, role) = (row.said("id")?, row.said("roleId").unwrap_or_default());
    if !roles.contains_key(&role) {
        findings.note(What::MappingWithoutRole, format!("role mapping {id}"));
        return None;
    }
    Some(RoleMapping {
        id: RoleMappingId::new(id),
        role: RoleId::new(role),
        created: created(row),
    })
}

/// The rules of a row: one, or one for each of the methods it lists.
fn acl(row: &Row, findings: &mut Findings) -> Vec<AclRow> {
    let id = row.text("id").unwrap_or_default();
    let Some(rule) = one(row, &id) else {
        findings.note(What::RuleWithoutMeaning, format!("ACL {id}"));
        return Vec::new();
    };
    if matches!(row.said("permission").as_deref(), Some("ALARM" | "AUDIT")) {
        findings.note(What::AlarmOrAudit, format!("ACL {id}"));
    }
    let properties = row.texts("property");
    if properties.is_empty() || properties.iter().any(|property| property == "*") {
        return vec![rule];
    }
    let several = properties.len() > 1;
    let each = properties.into_iter().enumerate();
    each.map(|(at, property)| AclRow {
        id: if several {
            AclId::new(format!("{id}-{at}"))
        } else {
            rule.id.clone()
        },
        property: Some(property),
        ..rule.clone()
    })
    .collect()
}

/// The rule of a row, for every method.
fn one(row: &Row, id: &str) -> Option<AclRow> {
    let any = |name: &str| row.said(name).filter(|word| word != "*");
    let access = match any("accessType") {
        None => None,
        Some(word) => Some(AccessType::ALL.into_iter().find(|access| access.word() == word)?),
    };
    let permission = match row.said("permission")?.as_str() {
        "ALLOW" | "ALARM" | "AUDIT" => Permission::Allow,
        "DENY" => Permission::Deny,
        _ => return None,
    };
    let principal_type = match row.said("principalType")?.to_ascii_uppercase().as_str() {
        "ROLE" => PrincipalType::Role,
        "APP" | "APPLICATION" => PrincipalType::App,
        "USER" => PrincipalType::User,
        _ => return None,
    };
    (!id.is_empty()).then_some(AclRow {
        id: AclId::new(id),
        model: any("model"),
        property: None,
        access,
        permission,
        principal_type,
        principal: row.said("principalId")?,
    })
}
