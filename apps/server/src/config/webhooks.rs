//! `[[webhooks]]`: services that hear what happens to users.

use std::collections::BTreeMap;

use domain::audit::AuditKind;
use domain::webhook::is_told;
use url::Url;

use super::address::is_local_url;
use super::nearest::nearest_key;
use super::read::Reader;
use super::secret::Secret;

/// A service, and what it hears.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// What it is called here.
    pub name: String,
    /// Where events are posted; some services are known by a secret in it.
    pub url: Secret,
    /// What it knows us by.
    pub secret: Option<Secret>,
    /// What it knew us by before, while the secret is exchanged.
    pub former_secret: Option<Secret>,
    /// The names of the events it hears, patterns spelt out.
    pub events: Vec<String>,
    /// The pool whose users it hears of; none for all.
    pub pool: Option<String>,
}

impl Webhook {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let name = reader.required_id("name");
        if !name.is_empty() && !is_name(&name) {
            reader.refuse(
                "name",
                "must be letters, digits, hyphens and underscores, 40 at most",
            );
        }
        let url = reader.maybe_parsed("url", "required", address);
        let secret = reader.secret("secret", "required");
        for (key, is_missing) in [("url", url.is_none()), ("secret", secret.is_none())] {
            if is_missing && !reader.was_given(key) && !reader.was_given(&format!("{key}_file")) {
                reader.refuse(key, "is missing");
            }
        }
        let events = reader.list_or("events", "[\"*\"]", vec![every()], named);
        let mut events: Vec<String> = events.into_iter().flatten().collect();
        events.sort();
        events.dedup();
        Self {
            name,
            url: url.unwrap_or_else(|| Secret::new("")),
            secret,
            former_secret: reader.secret("former_secret", "none"),
            events,
            pool: reader.maybe_text("pool"),
        }
    }
}

fn is_name(text: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    text.len() <= 40 && text.chars().all(fits)
}

/// Never plain http to another machine: who is logged in when is nobody's business on the way.
fn address(text: &str) -> Result<Secret, String> {
    let fits = |url: &Url| {
        let safe = url.scheme() == "https" || url.scheme() == "http" && is_local_url(url);
        safe && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
    };
    if Url::parse(text).is_ok_and(|url| fits(&url)) {
        return Ok(Secret::new(text));
    }
    // Not quoted: some services are known by a secret in the path.
    Err("must be an https address, or http on this machine, without a user and without `#`".to_owned())
}

/// The names of all events that can be heard.
fn every() -> Vec<String> {
    let told = AuditKind::ALL.iter().filter(|kind| is_told(**kind));
    told.map(|kind| kind.name().to_owned()).collect()
}

/// The events of a name, of a family (`user.*`), or all (`*`).
fn named(text: &str) -> Result<Vec<String>, String> {
    let every = every();
    let family = text
        .strip_suffix('*')
        .filter(|family| family.is_empty() || family.ends_with('.'));
    let found: Vec<String> = match family {
        Some(family) => every
            .iter()
            .filter(|name| name.starts_with(family))
            .cloned()
            .collect(),
        None => every.iter().filter(|name| *name == text).cloned().collect(),
    };
    if !found.is_empty() {
        return Ok(found);
    }
    if text.starts_with("message.") {
        return Err(format!(
            "has `{text}`: nobody hears of messages, or each would cause the next"
        ));
    }
    if AuditKind::named(text).is_some() {
        return Err(format!(
            "has `{text}`: strangers cause it at will, and would learn from it who exists; the audit log has it"
        ));
    }
    let known: BTreeMap<String, String> = every.into_iter().map(|name| (name, String::new())).collect();
    let hint = nearest_key(text, text, &known).map_or_else(
        || "docs/OPERATIONS.md lists them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(format!(
        "has `{text}`, which is no event that can be heard: {hint}"
    ))
}
