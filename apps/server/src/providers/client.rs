//! Who we are at a provider: the client's id, and how it is proven.

use domain::secret::Secret;

use super::fields::Fields;
use super::remote::{AppleKey, Dialect};

/// The client's id and secret, under the names its protocol has for them.
pub fn client(fields: &mut Fields<'_>, dialect: Dialect) -> (Option<String>, Option<Secret>) {
    let (id_key, secret_key, in_file) = if dialect.is_oauth1() {
        (
            "consumerKey",
            "consumerSecret",
            ["consumerSecret_file", "consumerSecretFile"],
        )
    } else {
        (
            "clientID",
            "clientSecret",
            ["clientSecret_file", "clientSecretFile"],
        )
    };
    let had_id = fields.has(id_key);
    let id = fields.text(&[id_key]);
    if let Some(id) = &id {
        placeholder(fields, id_key, id);
    } else if !had_id {
        fields.refuse(
            id_key,
            "is missing: the provider gave it to you when you registered this server there",
        );
    }
    let had_secret = fields.has(secret_key) || in_file.iter().any(|key| fields.has(key));
    let secret = fields.secret(&[secret_key], &in_file);
    match &secret {
        Some(secret) => placeholder(fields, secret_key, secret.expose()),
        None if had_secret || dialect == Dialect::Apple => {}
        None if fields.is_null(secret_key) && dialect.may_be_public() => {}
        None => {
            let public = if dialect.may_be_public() {
                ", or `null` for a public client"
            } else {
                ""
            };
            fields.refuse(
                secret_key,
                format!("is missing: give it, or `{secret_key}_file` with the name of a file{public}"),
            );
        }
    }
    if dialect == Dialect::Apple && secret.is_some() {
        fields.warn(
            secret_key,
            "does nothing: the secret is signed with `privateKey` for every call",
        );
        return (id, None);
    }
    (id, secret)
}

/// Examples are full of these; the provider refuses them all.
fn placeholder(fields: &mut Fields<'_>, key: &str, text: &str) {
    let folded = text.trim().to_ascii_lowercase();
    let framed = |open: char, close: char| folded.starts_with(open) && folded.ends_with(close);
    let word = [
        "changeme",
        "change-me",
        "change_me",
        "replace",
        "todo",
        "secret",
        "your-",
        "your_",
    ];
    let filled = folded.len() >= 3 && folded.chars().all(|c| c == 'x' || c == '-' || c == '*');
    if framed('{', '}') || framed('<', '>') || filled || word.iter().any(|word| folded.starts_with(word)) {
        fields.warn(
            key,
            "is a placeholder: put in what the provider gave you. Until then it refuses every log-in",
        );
    }
}

/// What signs Apple's client secrets.
pub fn apple_key(fields: &mut Fields<'_>) -> Option<AppleKey> {
    let team_id = needed(
        fields,
        "teamID",
        "the ten characters beside your name at developer.apple.com",
    );
    let key_id = needed(fields, "keyID", "the ten characters of the key's name");
    let here = ["privateKey", "privateKeyString"];
    let in_file = [
        "privateKeyPath",
        "privateKeyLocation",
        "privateKey_file",
        "privateKeyFile",
    ];
    let there = here.iter().chain(&in_file).any(|key| fields.has(key));
    let private_key = fields.secret(&here, &in_file);
    if private_key.is_none() && !there {
        fields.refuse(
            "privateKey",
            "is missing: give `privateKeyPath` with the name of the .p8 file Apple gave you",
        );
    }
    Some(AppleKey {
        team_id: team_id?,
        key_id: key_id?,
        private_key: private_key?,
    })
}

fn needed(fields: &mut Fields<'_>, key: &'static str, what: &str) -> Option<String> {
    let there = fields.has(key);
    let text = fields.text(&[key]);
    if text.is_none() && !there {
        fields.refuse(key, format!("is missing: it is {what}"));
    }
    text
}
