//! Anybody else: the usual names of the usual things, Passport's own shape among them.

use domain::identity::{PersonName, Profile, ProfileEmail};
use domain::ports::ProviderError;
use serde_json::Value;

use super::reader::{email, first_text, flag, subject, text};
use super::{Asker, Person};

/// Asks the configured address.
pub async fn ask(asker: &Asker<'_>) -> Result<Person, ProviderError> {
    let raw = asker.get(asker.user_info).await?.object()?;
    Ok(Person {
        subject: subject(&raw, &["/id", "/sub"]),
        profile: profile(&raw, asker.config.email_trusted == Some(true)),
        raw,
    })
}

fn profile(raw: &Value, trusted: bool) -> Profile {
    let first = |pointers: &[&str]| first_text(raw, pointers);
    Profile {
        username: first(&["/username", "/preferred_username", "/login", "/nickname"]),
        display_name: first(&["/displayName", "/display_name", "/name", "/full_name"]),
        name: PersonName {
            family_name: first(&["/family_name", "/last_name", "/name/familyName", "/lastName"]),
            given_name: first(&["/given_name", "/first_name", "/name/givenName", "/firstName"]),
            middle_name: first(&["/middle_name", "/name/middleName"]),
        },
        emails: emails(raw, trusted),
        photos: photos(raw),
        profile_url: first(&["/profileUrl", "/profile_url", "/profile", "/html_url"]),
    }
}

fn emails(raw: &Value, trusted: bool) -> Vec<ProfileEmail> {
    let mut emails: Vec<ProfileEmail> = email(raw, trusted).into_iter().collect();
    for one in items(raw, "/emails") {
        let listed = ProfileEmail {
            value: one
                .as_str()
                .map(str::to_owned)
                .or_else(|| text(one, "/value"))
                .unwrap_or_default(),
            verified: flag(one, &["/verified"]).unwrap_or(trusted),
        };
        let known = emails.iter().any(|email| email.value == listed.value);
        if !known && !listed.value.is_empty() {
            emails.push(listed);
        }
    }
    emails
}

fn photos(raw: &Value) -> Vec<String> {
    let single = first_text(raw, &["/picture", "/avatar_url", "/picture/data/url"]);
    let listed = items(raw, "/photos").iter();
    let listed = listed.filter_map(|one| one.as_str().map(str::to_owned).or_else(|| text(one, "/value")));
    single.into_iter().chain(listed).collect()
}

fn items<'a>(raw: &'a Value, pointer: &str) -> &'a [Value] {
    let list = raw.pointer(pointer).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn passports_own_shape_is_understood() {
        let raw = json!({
            "id": 7, "username": "ann", "displayName": "Ann Example",
            "name": {"familyName": "Example", "givenName": "Ann"},
            "emails": [{"value": "ann@example.com", "verified": true}, {"value": "b@example.com"}, "c@example.com", {}],
            "photos": [{"value": "https://example.com/a.png"}],
        });
        let profile = profile(&raw, false);
        assert_eq!(profile.username.as_deref(), Some("ann"));
        assert_eq!(profile.name.family_name.as_deref(), Some("Example"));
        let emails: Vec<_> = profile
            .emails
            .iter()
            .map(|email| (email.value.as_str(), email.verified))
            .collect();
        assert_eq!(
            emails,
            [
                ("ann@example.com", true),
                ("b@example.com", false),
                ("c@example.com", false)
            ]
        );
        assert_eq!(profile.photos, ["https://example.com/a.png"]);
    }
}
