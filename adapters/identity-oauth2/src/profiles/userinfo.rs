//! The userinfo of OpenID Connect (Core section 5.1) and what Google had before it.

use domain::identity::{PersonName, Profile};
use domain::ports::ProviderError;
use serde_json::Value;

use super::reader::{email, first_text, subject, text};
use super::{Asker, Person};

/// Asks the userinfo endpoint.
pub async fn ask(asker: &Asker<'_>) -> Result<Person, ProviderError> {
    let raw = asker.get(asker.user_info).await?.object()?;
    Ok(Person {
        subject: subject(&raw, &["/sub", "/id"]),
        profile: profile(&raw, asker.config.email_trusted == Some(true)),
        raw,
    })
}

fn profile(raw: &Value, trusted: bool) -> Profile {
    Profile {
        username: text(raw, "/preferred_username"),
        display_name: text(raw, "/name"),
        name: PersonName {
            family_name: text(raw, "/family_name"),
            given_name: text(raw, "/given_name"),
            middle_name: text(raw, "/middle_name"),
        },
        emails: email(raw, trusted).into_iter().collect(),
        photos: text(raw, "/picture").into_iter().collect(),
        profile_url: first_text(raw, &["/profile", "/link"]),
    }
}
