//! What is said about an application.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Fault;

/// What is said about an application, by LoopBack's names. Nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationDetails {
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where its picture is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Who answers for it: with LoopBack, the id of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Who works on it, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub collaborators: Vec<String>,
    /// Where to write to its makers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where it wants people to be sent back to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub callback_urls: Vec<String>,
    /// `sandbox` while it is being tried, `production`, or what its makers write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// LoopBack's realm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// Everything else that a client keeps here (`permissions`, `pushSettings`, …), as it came.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// Longest text, in bytes.
const LONGEST: usize = 2048;
/// Most entries of a list.
const MOST: usize = 100;
/// Most bytes of everything else, as JSON.
const MAX_OTHERS: usize = 16 * 1024;

/// Names that say what an application is, not what is said about it; what comes by them is dropped.
const OURS: [&str; 16] = [
    "id",
    "name",
    "clientKey",
    "javaScriptKey",
    "restApiKey",
    "windowsKey",
    "masterKey",
    "keys",
    "authenticationEnabled",
    "disabled",
    "credentials",
    "mappings",
    "roles",
    "revision",
    "created",
    "modified",
];

impl ApplicationDetails {
    /// Takes what a client says, without the names that are not for it to say and without nulls.
    ///
    /// # Errors
    /// Every property that is of the wrong kind, too long or holds control characters.
    pub fn from_client(properties: Map<String, Value>) -> Result<Self, Vec<Fault>> {
        let mut properties: Map<String, Value> = properties
            .into_iter()
            .filter(|(name, value)| !OURS.contains(&name.as_str()) && !value.is_null())
            .collect();
        let mut faults = Vec::new();
        let mut text = |name: &'static str| text(name, properties.remove(name), &mut faults);
        let (description, icon, owner) = (text("description"), text("icon"), text("owner"));
        let (email, url) = (text("email"), text("url"));
        let (status, realm) = (text("status"), text("realm"));
        let mut texts = |name: &'static str| texts(name, properties.remove(name), &mut faults);
        let (collaborators, callback_urls) = (texts("collaborators"), texts("callbackUrls"));
        if Value::Object(properties.clone()).to_string().len() > MAX_OTHERS {
            faults.push(invalid("others", "custom.length", "hold more than 16 KiB"));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            description,
            icon,
            owner,
            collaborators,
            email,
            url,
            callback_urls,
            status,
            realm,
            others: properties,
        })
    }

    /// These with `patch` laid over them; a null in the patch removes a property.
    ///
    /// # Errors
    /// As [`ApplicationDetails::from_client`].
    pub fn patched(&self, patch: Map<String, Value>) -> Result<Self, Vec<Fault>> {
        let mut merged = match serde_json::to_value(self) {
            Ok(Value::Object(merged)) => merged,
            _ => Map::new(),
        };
        merged.extend(patch);
        Self::from_client(merged)
    }
}

fn invalid(property: &'static str, code: &'static str, message: &'static str) -> Fault {
    Fault {
        property,
        code,
        message,
        value: None,
    }
}

fn is_sound(text: &str) -> bool {
    text.len() <= LONGEST && !text.chars().any(char::is_control)
}

/// A number is a text, too: ids of owners are numbers in LoopBack's stores.
fn as_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text(name: &'static str, value: Option<Value>, faults: &mut Vec<Fault>) -> Option<String> {
    let text = as_text(value?).filter(|text| is_sound(text));
    if text.is_none() {
        faults.push(invalid(name, "custom.text", "is no text, or too long a one"));
    }
    text
}

fn texts(name: &'static str, value: Option<Value>, faults: &mut Vec<Fault>) -> Vec<String> {
    let list = match value {
        None => return Vec::new(),
        Some(Value::Array(list)) if list.len() <= MOST => list,
        Some(_) => Vec::from([Value::Null]),
    };
    let texts: Option<Vec<String>> = list
        .into_iter()
        .map(|value| as_text(value).filter(|text| is_sound(text)))
        .collect();
    texts.unwrap_or_else(|| {
        faults.push(invalid(
            name,
            "custom.texts",
            "is no list of texts, or too long a one",
        ));
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(value: &Value) -> Result<ApplicationDetails, Vec<Fault>> {
        ApplicationDetails::from_client(value.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn what_loopback_keeps_is_kept_and_what_is_ours_is_not() {
        let details = said(&json!({
            "id": "chosen", "masterKey": "m", "authenticationEnabled": false, "name": "n", "roles": ["admin"],
            "owner": 7, "collaborators": ["8", 9], "callbackUrls": ["https://a.example/back"], "status": "production",
            "url": null, "anonymousAllowed": true, "pushSettings": {"apns": {"production": false}},
        }));
        let details = details.expect("sound");
        assert_eq!(details.owner.as_deref(), Some("7"));
        assert_eq!(details.collaborators, ["8", "9"]);
        assert_eq!(details.url, None);
        let mut others: Vec<&str> = details.others.keys().map(String::as_str).collect();
        others.sort_unstable();
        assert_eq!(others, ["anonymousAllowed", "pushSettings"]);
        let stored = serde_json::to_value(&details).expect("stored");
        assert_eq!(
            serde_json::from_value::<ApplicationDetails>(stored).ok(),
            Some(details)
        );
    }

    #[test]
    fn every_fault_is_told() {
        let faults = said(&json!({
            "description": {"$gt": ""}, "url": "a\u{0}b", "owner": "x".repeat(2049), "collaborators": "8",
            "callbackUrls": [["deep"]], "permissions": "x".repeat(17 * 1024),
        }));
        let faults = faults.expect_err("refused");
        let names: Vec<&str> = faults.iter().map(|fault| fault.property).collect();
        assert_eq!(
            names,
            [
                "description",
                "owner",
                "url",
                "collaborators",
                "callbackUrls",
                "others"
            ]
        );
    }

    #[test]
    fn a_patch_changes_what_it_names_and_null_removes() {
        let before = said(&json!({"description": "a", "owner": "7", "permissions": [1]})).expect("sound");
        let patch = json!({"description": "b", "owner": null, "realm": "r"});
        let after = before.patched(patch.as_object().cloned().unwrap_or_default());
        let after = after.expect("sound");
        assert_eq!(
            (
                after.description.as_deref(),
                after.owner.as_deref(),
                after.realm.as_deref()
            ),
            (Some("b"), None, Some("r"))
        );
        assert_eq!(after.others, before.others);
    }
}
