//! Facebook's Graph.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use domain::identity::{PersonName, Profile, ProfileEmail};
use domain::ports::ProviderError;
use domain::secret::Secret;
use serde_json::Value;
use url::Url;

use super::reader::{subject, text};
use super::{Asker, Person};

/// What we need ourselves; the Graph sends only what is asked for.
const OURS: [&str; 7] = [
    "id",
    "name",
    "first_name",
    "middle_name",
    "last_name",
    "email",
    "picture",
];

/// Passport's names of fields, and the Graph's.
const NAMES: [(&str, &[&str]); 6] = [
    ("displayName", &["name"]),
    ("name", &["last_name", "first_name", "middle_name"]),
    ("profileUrl", &["link"]),
    ("emails", &["email"]),
    ("photos", &["picture"]),
    // The Graph has had no user names since 2014 and refuses the question.
    ("username", &[]),
];

/// Asks for the profile with the configured fields. The Graph refuses the whole question for one field it has given up since the
/// file was written; then it is asked again for what we need alone.
pub async fn ask(asker: &Asker<'_>) -> Result<Person, ProviderError> {
    let fields = fields(&asker.config.profile_fields);
    let mut said = asker.get(&address(asker, &fields)).await?;
    if matches!(said.graph_code(), Some(12 | 100)) && fields.len() > OURS.len() {
        tracing::warn!("Facebook gives not all of profileFields any more: asked for the usual ones");
        said = asker.get(&address(asker, &OURS)).await?;
    }
    let raw = said.object()?;
    Ok(Person {
        subject: subject(&raw, &["/id"]),
        profile: profile(&raw, asker.config.email_trusted == Some(true)),
        raw,
    })
}

fn fields(wanted: &[String]) -> Vec<&str> {
    let mut fields = OURS.to_vec();
    for name in wanted {
        let known = NAMES.iter().find(|(passport, _)| passport == name);
        let single = [name.as_str()];
        for field in known.map_or(single.as_slice(), |(_, graph)| graph) {
            if !fields.contains(field) {
                fields.push(field);
            }
        }
    }
    fields
}

fn address(asker: &Asker<'_>, fields: &[&str]) -> Url {
    let mut url = asker.user_info.clone();
    url.query_pairs_mut().append_pair("fields", &fields.join(","));
    if let Some(secret) = asker.secret.filter(|_| asker.config.enable_proof) {
        let proof = proof(secret, &asker.tokens.access_token);
        url.query_pairs_mut().append_pair("appsecret_proof", &proof);
    }
    url
}

/// HMAC-SHA-256 of the access token under the client's secret, in hexadecimal: shows that the token is not used by a thief.
fn proof(secret: &Secret, token: &Secret) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let tag = hmac::sign(&key, token.expose().as_bytes());
    tag.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn profile(raw: &Value, trusted: bool) -> Profile {
    let email = text(raw, "/email").map(|value| ProfileEmail {
        value,
        verified: trusted,
    });
    Profile {
        username: None,
        display_name: text(raw, "/name"),
        name: PersonName {
            family_name: text(raw, "/last_name"),
            given_name: text(raw, "/first_name"),
            middle_name: text(raw, "/middle_name"),
        },
        emails: email.into_iter().collect(),
        photos: text(raw, "/picture/data/url").into_iter().collect(),
        profile_url: text(raw, "/link"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passports_names_become_the_graphs() {
        let wanted = ["displayName", "emails", "gender", "profileUrl", "username"].map(str::to_owned);
        let mut expected = OURS.to_vec();
        expected.extend(["gender", "link"]);
        assert_eq!(fields(&wanted), expected);
    }

    #[test]
    fn the_proof_is_an_hmac_of_the_token() {
        // Reference: printf token | openssl dgst -sha256 -hmac secret
        let proof = proof(&Secret::new("secret"), &Secret::new("token"));
        assert_eq!(
            proof,
            "e941110e3d2bfe82621f0e3e1434730d7305d106c5f68c87165d0b27a4611a4a"
        );
    }
}
