//! The keys of an entry that leads to a provider.

use domain::id::ProviderName;
use domain::identity::{ProviderEntry, SubjectScope};
use http_warp::WebEntry;

use super::entry::Surroundings;
use super::fields::Fields;
use super::json::Json;
use super::remote::{Dialect, Remote};
use super::{asked, client, endpoints, mapping, place, roles};

/// Reads the keys of a provider; `None` when something is missing without which nothing can be said.
pub fn read(
    fields: &mut Fields<'_>,
    dialect: Dialect,
    auth_scheme: String,
    web: &WebEntry,
    around: &Surroundings<'_>,
) -> Option<(ProviderEntry, Remote)> {
    let name = fields.entry().to_owned();
    let provider = fields.text(&["provider"]).unwrap_or(name);
    let callback_url = callback_url(fields, web, around);
    let (client_id, client_secret) = client::client(fields, dialect);
    let apple = (dialect == Dialect::Apple)
        .then(|| client::apple_key(fields))
        .flatten();
    settled(fields, dialect);
    if dialect == Dialect::Apple
        && callback_url
            .as_ref()
            .is_some_and(|url| url.starts_with("http://"))
    {
        fields.warn(
            "callbackURL",
            "is plain http: Apple takes nothing but https, and browsers bring no cookie along with its form",
        );
    }
    let email_optional = fields.flag("emailOptional").unwrap_or(true);
    let mapping = mapping::read(fields);
    // OpenID Connect and OAuth 1.0a leave no choice in these.
    let plain = !dialect.is_oidc() && !dialect.is_oauth1();
    let remote = Remote {
        dialect,
        client_id: client_id?,
        client_secret,
        scopes: asked::scopes(fields, dialect),
        scope_separator: if plain { separator(fields) } else { None },
        params: asked::params(fields),
        headers: if plain { asked::headers(fields) } else { Vec::new() },
        endpoints: endpoints::endpoints(fields, dialect),
        issuer: endpoints::issuer(fields, dialect),
        tenant: tenant(fields, dialect),
        apple,
        profile_fields: if plain {
            fields.texts("profileFields").unwrap_or_default()
        } else {
            Vec::new()
        },
        graph_version: graph_version(fields, dialect),
        sha256: dialect.is_oauth1() && sha256(fields),
        include_email: if dialect.is_oauth1() {
            fields.flag("includeEmail")
        } else {
            None
        },
        skip_profile: skip_profile(fields, dialect),
        email_verified: email_verified(fields),
        ..Remote::blank(dialect, String::new())
    };
    let entry = ProviderEntry {
        name: web.name.clone(),
        provider: ProviderName::new(&provider),
        auth_scheme,
        pool: web.pool.clone(),
        link: web.link,
        client_id: remote.client_id.clone(),
        subjects: if dialect == Dialect::Facebook {
            SubjectScope::Client
        } else {
            SubjectScope::Issuer
        },
        callback_url: callback_url?,
        scopes: remote.scopes.clone(),
        mapping,
        email_optional,
        roles: roles::read(fields),
        only_known_users: fields.flag("onlyKnownUsers").unwrap_or(false),
        unsolicited: false,
    };
    Some((entry, remote))
}

/// The names of the callback's address.
const CALLBACK_URL: &[&str] = &["callbackURL", "redirectUrl", "callbackUrl", "returnURL"];

/// The absolute callback, which must be what the provider has registered, letter by letter.
pub(super) fn callback_url(
    fields: &mut Fields<'_>,
    web: &WebEntry,
    around: &Surroundings<'_>,
) -> Option<String> {
    let path = web.callback_path.as_deref().unwrap_or_default();
    let _ = callback_method(fields);
    let Some(written) = fields.text(CALLBACK_URL) else {
        let url = format!("{}{path}", around.public_url);
        return match place::callback_url(&url, around.public_url, path, around.insecure) {
            Ok(_) => Some(url),
            Err(why) => {
                fields.refuse(
                    "callbackURL",
                    format!("{why} (it follows from the public address)"),
                );
                None
            }
        };
    };
    let url = match place::callback_url(&written, around.public_url, &web.auth_path, around.insecure) {
        Ok(url) => url,
        Err(why) => {
            fields.refuse("callbackURL", why);
            return None;
        }
    };
    let origin = url.origin().ascii_serialization();
    if origin != around.public_url {
        let public = around.public_url;
        fields.warn(
            "callbackURL",
            format!("leads to {origin}, but people reach this server by {public}: unless both are one, nobody comes back"),
        );
    } else if place::folded(url.path()) != place::folded(path) {
        let back = url.path();
        fields.warn(
            "callbackURL",
            format!("leads to {back}, but `callbackPath` is {path}: make them equal, or nobody comes back"),
        );
    }
    // As it was written, where it is absolute: providers compare letters.
    let absolute = written.starts_with("http://") || written.starts_with("https://");
    Some(if absolute { written } else { url.into() })
}

/// Callbacks are taken by GET and by POST alike.
fn callback_method(fields: &mut Fields<'_>) -> Option<()> {
    let method = fields.text(&["callbackHTTPMethod"])?;
    if !matches!(method.to_ascii_lowercase().as_str(), "get" | "post") {
        fields.refuse(
            "callbackHTTPMethod",
            format!("must be `get` or `post`, but is `{method}`"),
        );
    }
    Some(())
}

/// What was a choice and is none any more: the secure way is the only one.
fn settled(fields: &mut Fields<'_>, dialect: Dialect) {
    match fields.any("state") {
        None | Some(Json::Flag(true)) => {}
        Some(Json::Text(_)) => fields.refuse(
            "state",
            "cannot be a fixed text: it is drawn for every log-in and bound to the browser, or anybody could log \
             somebody else in. Take it out",
        ),
        Some(_) => fields.refuse(
            "state",
            "cannot be switched off: without it anybody could log somebody else in (RFC 6749 section 10.12). Take it out",
        ),
    }
    match fields.any("pkce") {
        None | Some(Json::Flag(true)) => {}
        Some(Json::Text(method)) if method == "S256" => {}
        Some(_) => fields.refuse(
            "pkce",
            "can be nothing but `S256` (RFC 9700 section 2.1.1); providers that do not know it ignore it. Take it out",
        ),
    }
    if fields.flag("validateIssuer") == Some(false) {
        fields.refuse(
            "validateIssuer",
            "cannot be false: tokens of every tenant would log in. Name the `tenant`, or `common` for all on purpose",
        );
    }
    if dialect == Dialect::Facebook && fields.flag("enableProof") == Some(false) {
        fields.warn(
            "enableProof",
            "is always on: a stolen token is then worth nothing without the secret",
        );
    }
}

fn separator(fields: &mut Fields<'_>) -> Option<String> {
    let is_code = |text: &String| matches!(text.as_str(), " " | "," | "+" | ";");
    match fields.any("scopeSeparator")? {
        Json::Text(text) if is_code(&text) => Some(text),
        _ => {
            fields.refuse("scopeSeparator", "must be a blank, `,`, `+` or `;`");
            None
        }
    }
}

fn tenant(fields: &mut Fields<'_>, dialect: Dialect) -> Option<String> {
    if dialect != Dialect::Microsoft {
        return None;
    }
    let tenant = fields.text(&["tenant"])?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if tenant.chars().all(plain) {
        return Some(tenant);
    }
    fields.refuse(
        "tenant",
        format!("must be an id, a domain, `common`, `organizations` or `consumers`, but is `{tenant}`"),
    );
    None
}

fn graph_version(fields: &mut Fields<'_>, dialect: Dialect) -> Option<String> {
    if dialect != Dialect::Facebook {
        return None;
    }
    let version = fields.text(&["graphAPIVersion"])?;
    let number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let parts = version.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    if parts.is_some_and(|(major, minor)| number(major) && number(minor)) {
        return Some(version);
    }
    fields.refuse(
        "graphAPIVersion",
        format!("must look like `v24.0`, but is `{version}`"),
    );
    None
}

/// Whether requests are signed by HMAC-SHA256.
fn sha256(fields: &mut Fields<'_>) -> bool {
    match fields.text(&["signatureMethod"]).as_deref() {
        None | Some("HMAC-SHA1") => false,
        Some("HMAC-SHA256") => true,
        Some(other) => {
            fields.refuse(
                "signatureMethod",
                format!("must be `HMAC-SHA1` or `HMAC-SHA256`, but is `{other}`"),
            );
            false
        }
    }
}

fn skip_profile(fields: &mut Fields<'_>, dialect: Dialect) -> bool {
    let skip = fields.flag("skipUserProfile").unwrap_or(false);
    if skip && !dialect.is_oidc() {
        fields.refuse(
            "skipUserProfile",
            "cannot be true here: the profile alone says who came",
        );
    }
    skip
}

pub(super) fn email_verified(fields: &mut Fields<'_>) -> Option<bool> {
    let trusted = fields.flag("emailVerified");
    if trusted == Some(true) {
        fields.warn(
            "emailVerified",
            "is true: every address of this provider counts as proven, also one that somebody merely typed in there",
        );
    }
    trusted
}
