//! GitHub, and servers that speak like it.

use domain::identity::{PersonName, Profile, ProfileEmail};
use domain::ports::ProviderError;
use http::StatusCode;
use serde_json::Value;
use url::Url;

use super::reader::{flag, subject, text};
use super::{Asker, Person};
use crate::fetch;

/// Each of them lets us read the addresses.
const EMAIL_SCOPES: [&str; 2] = ["user:email", "user"];

/// Asks for the account and, where that is granted, for its addresses.
pub async fn ask(asker: &Asker<'_>) -> Result<Person, ProviderError> {
    let raw = asker.get(asker.user_info).await?.object()?;
    let primary = match asker.emails.filter(|_| may_read_addresses(asker)) {
        Some(url) => primary(asker, url).await?,
        None => None,
    };
    Ok(Person {
        subject: subject(&raw, &["/id"]),
        profile: profile(&raw, primary, asker.config.email_trusted == Some(true)),
        raw,
    })
}

fn may_read_addresses(asker: &Asker<'_>) -> bool {
    let granted = asker.tokens.scopes.as_ref();
    granted.is_none_or(|scopes| scopes.iter().any(|scope| EMAIL_SCOPES.contains(&scope.as_str())))
}

/// The primary address with its flag. An account may have none, and a grant may turn out too small.
async fn primary(asker: &Asker<'_>, url: &Url) -> Result<Option<ProfileEmail>, ProviderError> {
    let said = asker.get(url).await?;
    match (said.status, said.body) {
        (StatusCode::FORBIDDEN | StatusCode::NOT_FOUND, _) => Ok(None),
        (status, Some(Value::Array(all))) if status.is_success() => Ok(all
            .iter()
            .filter(|address| flag(address, &["/primary"]) == Some(true))
            .find_map(|address| {
                Some(ProfileEmail {
                    value: text(address, "/email")?,
                    verified: flag(address, &["/verified"]) == Some(true),
                })
            })),
        _ => Err(fetch::invalid("no list of addresses")),
    }
}

fn profile(raw: &Value, primary: Option<ProfileEmail>, trusted: bool) -> Profile {
    // The public address, chosen by the person for show; nothing is said about it.
    let public = || {
        text(raw, "/email").map(|value| ProfileEmail {
            value,
            verified: trusted,
        })
    };
    Profile {
        username: text(raw, "/login"),
        display_name: text(raw, "/name"),
        name: PersonName::default(),
        emails: primary.or_else(public).into_iter().collect(),
        photos: text(raw, "/avatar_url").into_iter().collect(),
        profile_url: text(raw, "/html_url"),
    }
}
