//! One entry of the file: what the core, the web and the adapter must know of it.

use domain::id::{EntryName, PoolName};
use domain::identity::ProviderEntry;
use http_warp::{CredentialFields, EntryKind, WebEntry};

use super::fields::Fields;
use super::finding::Findings;
use super::json::Json;
use super::kind::{Identified, identify};
use super::modules::{Kind, Scheme};
use super::remote::{Dialect, Remote};
use super::{enterprise, place, provider};
use crate::config::Environment;

/// Longest name of an entry, in characters.
const LONGEST_NAME: usize = 100;

/// What is the same for all entries.
pub struct Surroundings<'a> {
    /// `scheme://host[:port]` people reach us by.
    pub public_url: &'a str,
    /// The pools there are; the first is the default.
    pub pools: &'a [String],
    /// Plain http to other machines is allowed.
    pub insecure: bool,
    /// The environment.
    pub environment: &'a Environment,
}

/// An entry that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// For the web.
    pub web: WebEntry,
    /// For the core and the adapter; none for local entries.
    pub remote: Option<(ProviderEntry, Remote)>,
}

/// Reads one entry. What is wrong is noted; an entry comes back as far as it could be understood.
pub fn read(
    name: &str,
    object: Vec<(String, Json)>,
    around: &Surroundings<'_>,
    findings: &mut Findings,
) -> Option<Entry> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        let why = format!(
            "its name must have 1 to {LONGEST_NAME} characters, and none of them a control character"
        );
        findings.error(Some(name), why);
        return None;
    }
    let mut fields = Fields::new(name, object, around.environment, findings);
    let Identified { kind, auth_scheme } = identify(&mut fields)?;
    let web = web(&mut fields, kind, around)?;
    let entry = match kind {
        Kind::Local => Some(Entry { web, remote: None }),
        Kind::Remote(dialect) => {
            let read = match dialect.scheme() {
                Scheme::Local | Scheme::OAuth2 | Scheme::OAuth1 => provider::read,
                Scheme::Ldap | Scheme::Saml | Scheme::Kerberos | Scheme::OpenId2 => enterprise::read,
            };
            read(&mut fields, dialect, auth_scheme, &web, around).map(|remote| Entry {
                web,
                remote: Some(remote),
            })
        }
    };
    fields.finish(&kind.title());
    entry
}

/// The keys every entry has.
fn web(fields: &mut Fields<'_>, kind: Kind, around: &Surroundings<'_>) -> Option<WebEntry> {
    let name = fields.entry();
    let link = fields.flag("link").unwrap_or(false);
    let session = fields.flag("session").unwrap_or(true);
    let json = fields.flag("json").unwrap_or(false);
    let root = if link { "/link" } else { "/auth" };
    let auth_path = path(fields, "authPath", format!("{root}/{name}"));
    let callback_path = match kind {
        Kind::Local => None,
        Kind::Remote(dialect) if dialect.is_direct() => None,
        Kind::Remote(_) => Some(path(fields, "callbackPath", format!("{root}/{name}/callback"))),
    };
    let is_saml = kind == Kind::Remote(Dialect::Saml);
    let logout_path = is_saml.then(|| path(fields, "logoutPath", format!("{auth_path}/logout")));
    let metadata_path = is_saml.then(|| format!("{auth_path}/metadata"));
    let home = match kind {
        Kind::Local => None,
        Kind::Remote(_) => Some(format!("{root}/account")),
    };
    let success_redirect = redirect(fields, &["successRedirect", "successReturnToOrRedirect"], around);
    let failure_redirect = redirect(fields, &["failureRedirect"], around);
    if !session && !json && !link && matches!(kind, Kind::Remote(_)) {
        fields.warn(
            "session",
            "is false, and `json` is not true: tokens never stand in addresses here, so a log-in must begin with \
             `code_challenge` and its client fetches the token from `exchange` (docs/PROVIDERS.md)",
        );
    }
    Some(WebEntry {
        name: EntryName::new(name),
        pool: pool(fields, around)?,
        label: fields.text(&["label"]).unwrap_or_else(|| label(fields, kind)),
        kind: entry_kind(fields, kind, link),
        link,
        session,
        json,
        auto_login: fields.flag("autoLogin").unwrap_or(true),
        auth_path,
        callback_path,
        logout_path,
        metadata_path,
        success_redirect: success_redirect.or(home),
        failure_redirect,
        failure_query_string: fields.flag("failureQueryString").unwrap_or(false),
        stray_fragment: kind == Kind::Remote(Dialect::Facebook),
    })
}

fn path(fields: &mut Fields<'_>, key: &'static str, default: String) -> String {
    let written = fields.text(&[key]);
    let is_default = written.is_none();
    let path = written.unwrap_or(default);
    if let Err(why) = place::route(&path) {
        let hint = if is_default { " (by default)" } else { "" };
        fields.refuse(key, format!("{why}{hint}"));
    }
    path
}

fn redirect(fields: &mut Fields<'_>, names: &[&'static str], around: &Surroundings<'_>) -> Option<String> {
    let text = fields.text(names)?;
    if let Err(why) = place::destination(&text, around.insecure) {
        let key = names.first().copied().unwrap_or_default();
        fields.refuse(key, why);
    }
    Some(text)
}

/// The pool of an entry: paths compare without case, and so do pools.
fn pool(fields: &mut Fields<'_>, around: &Surroundings<'_>) -> Option<PoolName> {
    let Some(written) = fields.text(&["pool"]) else {
        return around.pools.first().map(PoolName::new);
    };
    let found = around
        .pools
        .iter()
        .find(|pool| pool.eq_ignore_ascii_case(&written));
    if found.is_none() {
        let pools = around.pools.join(", ");
        fields.refuse("pool", format!("is `{written}`, but the pools are {pools}"));
    }
    found.map(PoolName::new)
}

fn label(fields: &Fields<'_>, kind: Kind) -> String {
    let known = match kind {
        Kind::Local => Some("Password"),
        Kind::Remote(dialect) => dialect.label(),
    };
    let provider = fields.peek_text("provider").unwrap_or(fields.entry());
    known.map_or_else(|| capitalised(provider), str::to_owned)
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

fn entry_kind(fields: &mut Fields<'_>, kind: Kind, link: bool) -> EntryKind {
    match kind {
        Kind::Local => {}
        Kind::Remote(Dialect::Ldap) => return EntryKind::Directory(credential_fields(fields)),
        Kind::Remote(Dialect::Kerberos) => {
            let passwords = fields.flag("passwords").unwrap_or(false);
            return EntryKind::Tickets {
                passwords: passwords.then(|| credential_fields(fields)),
            };
        }
        Kind::Remote(_) => return EntryKind::Provider,
    }
    // It has no provider, but old files name one.
    let _ = fields.text(&["provider"]);
    if link {
        fields.refuse(
            "link",
            "cannot be true here: a name and a password are no account elsewhere",
        );
    }
    let CredentialFields { username, password } = credential_fields(fields);
    EntryKind::Local {
        username_field: username,
        password_field: password,
        set_access_token: fields.flag("setAccessToken").unwrap_or(false),
    }
}

fn credential_fields(fields: &mut Fields<'_>) -> CredentialFields {
    let username = field_name(fields, "usernameField", "username");
    let password = field_name(fields, "passwordField", "password");
    if username == password {
        fields.refuse("passwordField", "must not be the same as `usernameField`");
    }
    CredentialFields { username, password }
}

fn field_name(fields: &mut Fields<'_>, key: &'static str, default: &str) -> String {
    fields.text(&[key]).unwrap_or_else(|| default.to_owned())
}

/// Whether an entry is for one of Google's, Facebook's … accounts: two of those should share a `provider`.
pub fn family(entry: &Entry) -> Option<&'static str> {
    let (_, remote) = entry.remote.as_ref()?;
    match remote.dialect {
        Dialect::Twitter | Dialect::X => Some("X (Twitter)"),
        other => other.label(),
    }
}
