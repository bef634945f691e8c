//! What a client keeps with a user beyond what we know: LoopBack's open schema, bounded.

use serde_json::{Map, Value};

/// Deepest nesting an attribute may have.
const MAX_DEPTH: usize = 16;
/// Most bytes all attributes of one user may take, as JSON.
const MAX_BYTES: usize = 64 * 1024;

/// Names that are ours, folded as [`folded`] does: a client never sets them, stored rows never take them from a client. The list
/// is closed from both sides: what a user *is*, what may be proven about them, and what is kept beside them.
const RESERVED: &[&str] = &[
    "accesstoken",
    "accesstokens",
    "acl",
    "acls",
    "admin",
    "challenge",
    "challenges",
    "constructor",
    "created",
    "credentials",
    "disabled",
    "email",
    "emailverified",
    "factors",
    "groups",
    "id",
    "identities",
    "isadmin",
    "lastupdated",
    "mobile",
    "modified",
    "permissions",
    "phone",
    "phoneconfirmed",
    "pool",
    "principals",
    "proto",
    "prototype",
    "realm",
    "revision",
    "role",
    "rolemappings",
    "roles",
    "scopes",
    "secondfactor",
    "sessionepoch",
    "sessions",
    "sparedsession",
    "token",
    "tokens",
    "ttl",
    "twofactor",
    "userid",
    "username",
    "verificationtoken",
];

/// Unknown properties of a user, kept and returned as they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(Map<String, Value>);

/// Why attributes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributesFault {
    /// Nested deeper than 16 levels.
    TooDeep,
    /// More than 64 KiB as JSON.
    TooLarge,
}

impl Attributes {
    /// Takes what a client sent, without the names that are ours (dropped silently, as LoopBack drops hidden properties) and
    /// without nulls (absent is how we say "none").
    pub fn from_client(properties: Map<String, Value>) -> Result<Self, AttributesFault> {
        let kept: Map<String, Value> = properties
            .into_iter()
            .filter(|(name, value)| !is_reserved(name) && !value.is_null())
            .collect();
        if kept.values().any(|value| depth(value) > MAX_DEPTH) {
            return Err(AttributesFault::TooDeep);
        }
        let attributes = Self(kept);
        if attributes.size() > MAX_BYTES {
            return Err(AttributesFault::TooLarge);
        }
        Ok(attributes)
    }

    /// These attributes with `patch` laid over them; a null in the patch removes a property.
    pub fn patched(&self, patch: Map<String, Value>) -> Result<Self, AttributesFault> {
        let mut merged = self.0.clone();
        merged.extend(patch);
        Self::from_client(merged)
    }

    /// The properties.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Rebuilds attributes from a store.
    pub fn restore(properties: Map<String, Value>) -> Self {
        Self(properties)
    }

    fn size(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| name.len() + value.to_string().len() + 6)
            .sum()
    }
}

/// Whether a name is ours, in whatever case and with whatever separators; and every kind of password, which clients send along
/// for confirmation and which must not be kept in clear.
fn is_reserved(name: &str) -> bool {
    let folded = folded(name);
    RESERVED.contains(&folded.as_str()) || folded.contains("password") || folded.contains("passwd")
}

/// Lower case without the separators that spelling conventions differ in.
fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' ' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Nesting of a value: 1 for a scalar. Parsed JSON is at most 128 deep, so the recursion is bounded.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(properties) => 1 + properties.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(properties) => properties,
            other => panic!("not an object: {other}"),
        }
    }

    #[test]
    fn unknown_properties_are_kept_and_ours_are_dropped() {
        let given =
            map(json!({"colour": "red", "emailVerified": true, "roles": ["admin"], "id": 7, "none": null}));
        let kept = Attributes::from_client(given).unwrap();
        assert_eq!(kept.as_map(), &map(json!({"colour": "red"})));
    }

    #[test]
    fn no_spelling_of_a_password_or_of_a_name_of_ours_is_kept() {
        let given = map(json!({
            "Password": "x", "passwordConfirmation": "x", "confirm_password": "x", "PASSWD": "x", "EmailVerified": true,
            "is_admin": true, "Roles": [], "email_verified": true, "accessToken": "x", "__proto__": {},
        }));
        assert_eq!(Attributes::from_client(given).unwrap(), Attributes::default());
    }

    #[test]
    fn a_patch_lays_over_and_null_removes() {
        let before = Attributes::from_client(map(json!({"a": 1, "b": 2}))).unwrap();
        let after = before.patched(map(json!({"b": null, "c": 3}))).unwrap();
        assert_eq!(after.as_map(), &map(json!({"a": 1, "c": 3})));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(
            Attributes::from_client(map(json!({"deep": deep}))),
            Err(AttributesFault::TooDeep)
        );
        let large = "x".repeat(MAX_BYTES);
        assert_eq!(
            Attributes::from_client(map(json!({"large": large}))),
            Err(AttributesFault::TooLarge)
        );
    }
}
