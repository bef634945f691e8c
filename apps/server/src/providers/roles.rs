//! `roleMapping`: who gets which role.

use domain::id::RoleName;
use domain::identity::{RoleRule, RoleSource};

use super::fields::Fields;
use super::json::Json;
use super::mapping::is_path;

/// Longest name of a role, in characters.
const LONGEST: usize = 100;

/// Reads the list: `{"group": "admins", "role": "admin"}`, or `{"claim": "_json.department", "value": "Sales", "role": "sales"}`.
pub fn read(fields: &mut Fields<'_>) -> Vec<RoleRule> {
    let mut rules: Vec<RoleRule> = Vec::new();
    for (index, line) in fields.objects("roleMapping").into_iter().enumerate() {
        let key = format!("roleMapping[{index}]");
        let (mut group, mut place, mut value, mut role) = (None, None, None, None);
        let mut odd = None;
        for (name, given) in line {
            match (name.as_str(), given) {
                ("group", Json::Text(text)) => group = Some(text),
                ("claim" | "attribute", Json::Text(text)) if place.is_none() => place = Some(text),
                ("value", Json::Text(text)) => value = Some(text),
                ("value", Json::Flag(flag)) => value = Some(flag.to_string()),
                ("value", Json::Number(number)) => value = Some(number.to_string()),
                ("role", Json::Text(text)) => role = Some(text),
                _ => odd = Some(name),
            }
        }
        if let Some(name) = odd {
            fields.refuse(
                &key,
                format!("must hold `group`, or `claim` (or `attribute`) and `value`, and `role`, as texts: `{name}` will not do"),
            );
            continue;
        }
        let source = match (group, place, value) {
            (Some(group), None, None) => RoleSource::Group(group),
            (None, Some(path), Some(value)) if is_path(&path) => RoleSource::Value { path, value },
            (None, Some(path), Some(_)) => {
                fields.refuse(
                    &key,
                    format!("has `{path}`, which is no path such as `_json.department`"),
                );
                continue;
            }
            _ => {
                fields.refuse(&key, "needs `group`, or `claim` and `value`, and not both");
                continue;
            }
        };
        match role.as_deref().map(judged) {
            Some(Ok(role)) => rules.push(RoleRule { source, role }),
            Some(Err(why)) => fields.refuse(&key, why),
            None => fields.refuse(&key, "needs a `role`"),
        }
    }
    rules
}

/// Names that begin with `$` are LoopBack's own: who they stand for follows from the request.
fn judged(role: &str) -> Result<RoleName, &'static str> {
    if role.starts_with('$') {
        return Err(
            "gives a role that begins with `$`: those follow from the request and are given to nobody",
        );
    }
    let fits =
        !role.trim().is_empty() && role.chars().count() <= LONGEST && !role.chars().any(char::is_control);
    fits.then(|| RoleName::new(role))
        .ok_or("gives a role whose name is empty, too long or has control characters in it")
}
