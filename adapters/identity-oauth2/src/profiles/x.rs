//! X, version 2 of the API.

use domain::identity::{PersonName, Profile, ProfileEmail};
use domain::ports::ProviderError;
use serde_json::Value;
use url::Url;

use super::reader::{subject, text};
use super::{Asker, Person};
use crate::fetch;

/// What we need ourselves.
const OURS: [&str; 2] = ["confirmed_email", "profile_image_url"];

/// Asks for the account; its answer lies under `data`.
pub async fn ask(asker: &Asker<'_>) -> Result<Person, ProviderError> {
    let url = address(asker.user_info, &asker.config.profile_fields);
    let mut answer = asker.get(&url).await?.object()?;
    let data = answer.get_mut("data").map(Value::take);
    let raw = data.filter(Value::is_object);
    let raw = raw.ok_or_else(|| fetch::invalid("without data"))?;
    Ok(Person {
        subject: subject(&raw, &["/id"]),
        profile: profile(&raw),
        raw,
    })
}

fn address(base: &Url, wanted: &[String]) -> Url {
    let mut fields = OURS.to_vec();
    for field in wanted {
        if !fields.contains(&field.as_str()) {
            fields.push(field);
        }
    }
    let mut url = base.clone();
    url.query_pairs_mut()
        .append_pair("user.fields", &fields.join(","));
    url
}

fn profile(raw: &Value) -> Profile {
    let confirmed = text(raw, "/confirmed_email").map(|value| ProfileEmail {
        value,
        verified: true,
    });
    Profile {
        username: text(raw, "/username"),
        display_name: text(raw, "/name"),
        name: PersonName::default(),
        emails: confirmed.into_iter().collect(),
        photos: text(raw, "/profile_image_url").into_iter().collect(),
        profile_url: None,
    }
}
