//! Reading claims that may be anything.

use domain::identity::ProfileEmail;
use serde_json::Value;

/// The text at a place; an empty one is none.
pub fn text(value: &Value, pointer: &str) -> Option<String> {
    let text = value.pointer(pointer)?.as_str()?;
    Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The first text there is at one of several places.
pub fn first_text(value: &Value, pointers: &[&str]) -> Option<String> {
    pointers.iter().find_map(|pointer| text(value, pointer))
}

/// An account's id: text, or an integer digit for digit. Numbers that do not fit into 64 bits are none, because readers of JSON
/// round them and neighbours would become one account.
pub fn subject(value: &Value, pointers: &[&str]) -> Option<String> {
    let of = |value: &Value| match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    };
    let mut places = pointers.iter().filter_map(|pointer| value.pointer(pointer));
    places.find_map(of)
}

/// Whether a claim says yes: `true`, also as text. None if there is no claim.
pub fn flag(value: &Value, pointers: &[&str]) -> Option<bool> {
    let claim = pointers.iter().find_map(|pointer| value.pointer(pointer))?;
    match claim {
        Value::Null => None,
        Value::String(text) => Some(text == "true"),
        claim => Some(claim.as_bool() == Some(true)),
    }
}

/// The one address of a userinfo answer, with its flag; `trusted` if it has none.
pub fn email(value: &Value, trusted: bool) -> Option<ProfileEmail> {
    let flags = ["/email_verified", "/verified_email", "/emailVerified"];
    Some(ProfileEmail {
        value: text(value, "/email")?,
        verified: flag(value, &flags).unwrap_or(trusted),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn subject_of(json: &str) -> Option<String> {
        subject(&serde_json::from_str(json).unwrap(), &["/id", "/sub"])
    }

    #[test]
    fn an_id_is_taken_digit_for_digit() {
        for (json, id) in [
            (r#"{"id":"0042"}"#, "0042"),
            (r#"{"id":42}"#, "42"),
            (r#"{"id":9007199254740993}"#, "9007199254740993"),
            (r#"{"id":18446744073709551615}"#, "18446744073709551615"),
            (r#"{"id":null,"sub":"s"}"#, "s"),
        ] {
            assert_eq!(subject_of(json).as_deref(), Some(id), "{json}");
        }
    }

    #[test]
    fn what_could_be_several_accounts_is_no_id() {
        for json in [
            "{}",
            r#"{"id":null}"#,
            r#"{"id":""}"#,
            r#"{"id":"  "}"#,
            r#"{"id":false}"#,
            r#"{"id":{"a":1}}"#,
            r#"{"id":1.5}"#,
            r#"{"id":1e3}"#,
            r#"{"id":18446744073709551616}"#,
        ] {
            assert_eq!(subject_of(json), None, "{json}");
        }
    }

    #[test]
    fn only_a_clear_yes_vouches_for_an_address() {
        let verified = |claim: Value, trusted| {
            email(
                &json!({"email": "a@example.com", "email_verified": claim}),
                trusted,
            )
            .map(|email| email.verified)
        };
        assert_eq!(verified(json!(true), false), Some(true));
        assert_eq!(verified(json!("true"), false), Some(true));
        for no in [json!(false), json!("false"), json!(1), json!("1"), json!([true])] {
            assert_eq!(verified(no.clone(), true), Some(false), "{no}");
        }
        assert_eq!(verified(Value::Null, true), Some(true));
        assert_eq!(verified(Value::Null, false), Some(false));
        assert_eq!(email(&json!({"email": ""}), true), None);
    }
}
