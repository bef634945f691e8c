//! What `roleMapping` makes of what a provider says.

use serde_json::Value;

use super::Proven;
use crate::id::RoleName;
use crate::identity::RoleSource;

/// The roles a proven account gives its user, each once, in the order of the entry's lines.
pub(super) fn granted(proven: &Proven) -> Vec<RoleName> {
    let seen = proven.passport_profile();
    let mut roles: Vec<RoleName> = Vec::new();
    for rule in &proven.entry.roles {
        let holds = match &rule.source {
            RoleSource::Group(group) => is_in(&proven.groups, group),
            RoleSource::Value { path, value } => says(super::passport::at(&seen, path), value),
        };
        if holds && !roles.contains(&rule.role) {
            roles.push(rule.role.clone());
        }
    }
    roles
}

/// Groups are names of directories, which compare without case (RFC 4517 section 4.2.11).
fn is_in(groups: &[String], wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    groups.iter().any(|group| group.to_lowercase() == wanted)
}

/// Whether a value, or one of a list of values, is the one.
fn says(found: Option<&Value>, wanted: &str) -> bool {
    match found {
        Some(Value::Array(items)) => items.iter().any(|item| is(item, wanted)),
        Some(value) => is(value, wanted),
        None => false,
    }
}

fn is(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Bool(flag) => wanted == if *flag { "true" } else { "false" },
        Value::Number(number) => number.to_string() == wanted,
        _ => false,
    }
}
