//! Who somebody is, in Passport's shape.

use domain::identity::{PersonName, Profile, ProfileEmail};
use serde_json::Value;

use crate::EmailRule;
use crate::claims::Claims;

/// The profile the claims make.
pub fn profile_of(claims: &Claims, rule: EmailRule) -> Profile {
    let text = |name: &str| claims.shown(name).map(str::to_owned);
    let address = |name: &str| claims.shown(name).filter(|text| is_web(text)).map(str::to_owned);
    let email = text("email").map(|value| ProfileEmail {
        value,
        verified: is_vouched(claims, rule),
    });
    let profile = Profile {
        username: text("preferred_username").or_else(|| text("nickname")),
        display_name: text("name"),
        name: PersonName {
            family_name: text("family_name"),
            given_name: text("given_name"),
            middle_name: text("middle_name"),
        },
        emails: email.into_iter().collect(),
        photos: address("picture").into_iter().collect(),
        profile_url: address("profile"),
    };
    profile.bounded()
}

/// The groups the claims name (`groups`, as Keycloak, Okta and Microsoft tell them); whatever else stands there is none.
pub fn groups_of(claims: &Claims) -> Vec<String> {
    let listed = claims.value("groups").and_then(Value::as_array);
    let names = listed.into_iter().flatten().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

/// Whether the provider vouches that the person reads the address.
fn is_vouched(claims: &Claims, rule: EmailRule) -> bool {
    match rule {
        EmailRule::Claim => claims.is_true("email_verified"),
        EmailRule::DomainOwner => {
            let told = claims.value("xms_edov");
            claims.is_true("xms_edov") || told.is_some_and(|told| *told == "1" || *told == 1)
        }
        EmailRule::Always => true,
        EmailRule::Never => false,
    }
}

/// Other addresses (`javascript:`) must not get onto a page.
fn is_web(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://")
}

/// Adds the name Apple sends beside the code, the first time only. Nobody signed it: whoever sits at the browser may have written
/// it, so it is a name to show and never an address.
pub fn add_first_name(claims: &mut Claims, user: &str) {
    let user: Option<Value> = serde_json::from_str(user).ok();
    let Some(name) = user.as_ref().and_then(|user| user.get("name")) else {
        return;
    };
    let part = |key: &str| name.get(key).and_then(Value::as_str).map(str::trim);
    let given = part("firstName").filter(|text| !text.is_empty());
    let family = part("lastName").filter(|text| !text.is_empty());
    let whole: Vec<&str> = given.into_iter().chain(family).collect();
    let whole = Some(whole.join(" ")).filter(|whole| !whole.is_empty());
    let parts = [
        ("given_name", given.map(str::to_owned)),
        ("family_name", family.map(str::to_owned)),
        ("name", whole),
    ];
    for (claim, text) in parts {
        if let (None, Some(text)) = (claims.value(claim), text) {
            claims.0.insert(claim.to_owned(), Value::String(text));
        }
    }
}

#[cfg(test)]
#[path = "../tests/unit/profile.rs"]
mod tests;
