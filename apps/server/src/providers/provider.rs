//! The keys of an entry that leads to a provider.

use domain::id::ProviderName;
use domain::identity::{ProviderEntry, SubjectScope};
use domain::secret::Secret;
use http_warp::WebEntry;

use super::entry::Surroundings;
use super::fields::Fields;
use super::json::Json;
use super::remote::{AppleKey, Dialect, Endpoints, Remote};
use super::{asked, mapping, place};

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
    let (client_id, client_secret) = client(fields, dialect);
    let apple = (dialect == Dialect::Apple).then(|| apple_key(fields)).flatten();
    settled(fields, dialect);
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
        endpoints: endpoints(fields, dialect),
        issuer: issuer(fields, dialect),
        tenant: tenant(fields, dialect),
        apple,
        profile_fields: if plain {
            fields.texts("profileFields").unwrap_or_default()
        } else {
            Vec::new()
        },
        graph_version: graph_version(fields, dialect),
        include_email: if dialect.is_oauth1() {
            fields.flag("includeEmail")
        } else {
            None
        },
        skip_profile: skip_profile(fields, dialect),
        email_verified: email_verified(fields),
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
    };
    Some((entry, remote))
}

/// The absolute callback, which must be what the provider has registered, letter by letter.
fn callback_url(fields: &mut Fields<'_>, web: &WebEntry, around: &Surroundings<'_>) -> Option<String> {
    let path = web.callback_path.as_deref().unwrap_or_default();
    let _ = callback_method(fields);
    let Some(written) = fields.text(&["callbackURL", "redirectUrl"]) else {
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

fn client(fields: &mut Fields<'_>, dialect: Dialect) -> (Option<String>, Option<Secret>) {
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

fn apple_key(fields: &mut Fields<'_>) -> Option<AppleKey> {
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

fn endpoints(fields: &mut Fields<'_>, dialect: Dialect) -> Endpoints {
    let keys: Names = if dialect.is_oauth1() { OF_OAUTH1 } else { OF_OAUTH2 };
    let found = Endpoints {
        authorization: endpoint(fields, &[keys.authorization]),
        token: endpoint(fields, &[keys.token]),
        request_token: if dialect.is_oauth1() {
            endpoint(fields, &["requestTokenURL"])
        } else {
            None
        },
        profile: if matches!(dialect, Dialect::Microsoft | Dialect::Apple) {
            None
        } else {
            endpoint(fields, &PROFILE)
        },
        emails: if dialect == Dialect::GitHub {
            endpoint(fields, &["userEmailURL"])
        } else {
            None
        },
        keys: if dialect.is_oidc() {
            endpoint(fields, &["jwksURL"])
        } else {
            None
        },
    };
    if matches!(dialect, Dialect::OAuth1 | Dialect::OAuth2) {
        let needed = [
            (keys.authorization, found.authorization.is_none()),
            (keys.token, found.token.is_none()),
            (
                "requestTokenURL",
                dialect.is_oauth1() && found.request_token.is_none(),
            ),
            ("userProfileURL", found.profile.is_none()),
        ];
        for (key, missing) in needed {
            if missing && !fields.was_faulty(key) {
                fields.refuse(
                    key,
                    "is missing: no module says where the provider is, and only the provider can say who came",
                );
            }
        }
    }
    found
}

/// What the addresses are called.
struct Names {
    authorization: &'static str,
    token: &'static str,
}

const OF_OAUTH1: Names = Names {
    authorization: "userAuthorizationURL",
    token: "accessTokenURL",
};
const OF_OAUTH2: Names = Names {
    authorization: "authorizationURL",
    token: "tokenURL",
};
const PROFILE: [&str; 3] = ["userProfileURL", "userInfoURL", "profileURL"];

fn endpoint(fields: &mut Fields<'_>, names: &[&'static str]) -> Option<String> {
    let key = names
        .iter()
        .copied()
        .find(|key| fields.has(key))
        .unwrap_or_default();
    let text = fields.text(names)?;
    match place::endpoint(&text) {
        Ok(_) => Some(text),
        Err(why) => {
            fields.refuse(key, why);
            None
        }
    }
}

/// Where every OpenID provider tells of itself, seen from its issuer (OpenID Connect Discovery section 4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// The issuer: as it is written, or as the address of the discovery document says.
fn issuer(fields: &mut Fields<'_>, dialect: Dialect) -> Option<String> {
    if !dialect.is_oidc() {
        // An authorization server that names itself in its answers (RFC 9207).
        return if dialect.is_oauth1() {
            None
        } else {
            endpoint(fields, &["issuer"])
        };
    }
    let there = ["issuer", "discovery", "identityMetadata"]
        .iter()
        .any(|key| fields.has(key));
    let written = endpoint(fields, &["issuer"]);
    let key = if fields.has("identityMetadata") {
        "identityMetadata"
    } else {
        "discovery"
    };
    let discovered = endpoint(fields, &["discovery", "identityMetadata"]).and_then(|url| {
        let issuer = url.strip_suffix(WELL_KNOWN).map(str::to_owned);
        if issuer.is_none() {
            fields.refuse(
                key,
                format!("must be the issuer with `{WELL_KNOWN}` behind it, but is `{url}`"),
            );
        }
        issuer
    });
    if let (Some(written), Some(discovered)) = (&written, &discovered)
        && written.trim_end_matches('/') != discovered
    {
        fields.refuse(
            key,
            format!("is not below the issuer `{written}`: take one of them out"),
        );
    }
    if dialect == Dialect::OpenIdConnect && !there {
        fields.refuse(
            "issuer",
            format!("is missing: without it nobody can tell who signed. The provider tells it below `{WELL_KNOWN}`"),
        );
    }
    written.or(discovered)
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

fn email_verified(fields: &mut Fields<'_>) -> Option<bool> {
    let trusted = fields.flag("emailVerified");
    if trusted == Some(true) {
        fields.warn(
            "emailVerified",
            "is true: every address of this provider counts as proven, also one that somebody merely typed in there",
        );
    }
    trusted
}
