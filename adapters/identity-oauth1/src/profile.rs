//! Who somebody is, as the provider tells it and as Passport would have said it.

use domain::identity::{PersonName, Profile, ProfileEmail};
use serde_json::Value;

use crate::{OAuth1Config, OAuth1Kind};

/// The account's id: text, or an integer digit for digit. Numbers that do not fit into 64 bits are none, because readers of JSON
/// round them and neighbours would become one account.
pub fn subject(kind: OAuth1Kind, raw: &Value) -> Option<String> {
    let names: &[&str] = match kind {
        OAuth1Kind::Twitter => &["id_str", "id"],
        OAuth1Kind::Generic => &["id_str", "id", "sub", "user_id"],
    };
    names.iter().find_map(|name| id(raw.get(name)?))
}

/// A claim as an id.
fn id(claim: &Value) -> Option<String> {
    match claim {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// The normalised profile.
pub fn profile(config: &OAuth1Config, raw: &Value) -> Profile {
    let first = |names: &[&str]| names.iter().find_map(|name| text(raw, name));
    let photos = [
        "profile_image_url_https",
        "picture",
        "avatar_url",
        "profile_image_url",
    ];
    Profile {
        username: first(&["screen_name", "username", "login", "preferred_username"]),
        display_name: first(&["name", "displayName", "display_name"]),
        name: PersonName {
            family_name: first(&["family_name", "last_name"]),
            given_name: first(&["given_name", "first_name"]),
            middle_name: None,
        },
        emails: email(config, raw).into_iter().collect(),
        photos: first(&photos).into_iter().collect(),
        profile_url: None,
    }
}

fn email(config: &OAuth1Config, raw: &Value) -> Option<ProfileEmail> {
    let flag = match (config.kind, raw.get("email_verified")) {
        // Its `verified` is about fame, not about addresses.
        (OAuth1Kind::Twitter, _) | (_, None | Some(Value::Null)) => None,
        (_, Some(Value::String(text))) => Some(text == "true"),
        (_, Some(claim)) => Some(claim.as_bool() == Some(true)),
    };
    Some(ProfileEmail {
        value: text(raw, "email")?,
        verified: flag.unwrap_or(config.email_trusted),
    })
}

fn text(raw: &Value, name: &str) -> Option<String> {
    let text = raw.get(name)?.as_str()?;
    Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject_of(json: &str) -> Option<String> {
        subject(OAuth1Kind::Twitter, &serde_json::from_str(json).unwrap())
    }

    #[test]
    fn an_id_is_taken_digit_for_digit_or_not_at_all() {
        let big = r#"{"id":1400000000000000001,"id_str":"1400000000000000001"}"#;
        assert_eq!(subject_of(big).unwrap(), "1400000000000000001");
        assert_eq!(
            subject_of(r#"{"id":9007199254740993}"#).unwrap(),
            "9007199254740993"
        );
        for bad in [
            "{}",
            r#"{"id":null}"#,
            r#"{"id_str":" "}"#,
            r#"{"id":1.5}"#,
            r#"{"id":18446744073709551616}"#,
        ] {
            assert_eq!(subject_of(bad), None, "{bad}");
        }
    }
}
