//! Stores on other machines: which they are, and how they are reached.

use std::net::IpAddr;

use super::secret::Secret;
use super::{Config, address};

/// Schemes that stay on this machine.
const NEAR: [&str; 4] = ["sqlite", "memory", "storage", "console"];

/// Whether a URL names something reached over a network protocol, even if on this machine.
pub(super) fn is_far(url: &Secret) -> bool {
    !NEAR.contains(&scheme(url))
}

/// Warnings about stores that do not go together, and about ways to them that others can listen to.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    warnings.extend(together(config).map(str::to_owned));
    warnings.extend(pointless(config));
    let key_file = &config.secrets.key_file;
    if is_far(&config.storage.url) && !key_file.exists() {
        warnings.push(format!(
            "`secrets.key_file` names {}, which is not there yet: the first start makes it, and every other node on the same \
             store needs a copy of that very file before it starts",
            key_file.display()
        ));
    }
    let secure = "passwords, sessions and people's data cross the network in clear text";
    if crosses_in_clear(&config.storage.url) {
        let how = match scheme(&config.storage.url) {
            "mongodb" => "add `tls=true` to its options",
            _ => "write `sslmode=verify-full` among its options, or nothing",
        };
        warnings.push(format!(
            "`storage.url` leads to another machine without TLS: {secure}; {how}"
        ));
    }
    if crosses_in_clear(&config.sessions.url) {
        let scheme = scheme(&config.sessions.url);
        let safe = scheme.replacen("redis", "rediss", 1);
        warnings.push(format!(
            "`sessions.url` leads to another machine without TLS: {secure}; write `{safe}://` instead of `{scheme}://`"
        ));
    }
    warnings
}

fn together(config: &Config) -> Option<&'static str> {
    let (storage, sessions) = (&config.storage.url, &config.sessions.url);
    match (is_far(storage), scheme(sessions)) {
        (true, "memory") => Some(
            "`sessions.url` is memory: while the users are in a store that several nodes may share: with a second node people \
             would be logged in at one and not at the other. Use `storage:` or a Redis",
        ),
        (false, _) if is_far(sessions) => Some(
            "`sessions.url` is a Redis while the users are in a file of this machine: no other node can share them, and \
             `sessions.url = \"storage:\"` is simpler and faster",
        ),
        _ => None,
    }
}

fn pointless(config: &Config) -> Vec<String> {
    let (storage, sessions, mail) = (&config.storage, &config.sessions, &config.mail);
    let far = (is_far(&storage.url), is_far(&sessions.url));
    let tls = (speaks_tls(&storage.url), speaks_tls(&sessions.url));
    let given = [
        (
            "storage.max_connections",
            storage.max_connections_given && !far.0,
            &storage.url,
        ),
        (
            "storage.ca_file",
            storage.ca_file.is_some() && !(far.0 && tls.0),
            &storage.url,
        ),
        ("sessions.prefix", sessions.prefix_given && !far.1, &sessions.url),
        (
            "sessions.ca_file",
            sessions.ca_file.is_some() && !(far.1 && tls.1),
            &sessions.url,
        ),
        (
            "mail.ca_file",
            mail.ca_file.is_some() && !(is_far(&mail.url) && speaks_tls(&mail.url)),
            &mail.url,
        ),
        (
            "mail.templates_dir",
            mail.templates_dir.is_some() && !is_far(&mail.url),
            &mail.url,
        ),
    ];
    given
        .into_iter()
        .filter(|(_, pointless, _)| *pointless)
        .map(|(key, _, url)| {
            let without = if is_far(url) { " without TLS" } else { "" };
            format!("`{key}` does nothing with `{}:`{without}", scheme(url))
        })
        .collect()
}

fn scheme(url: &Secret) -> &str {
    url.expose().split_once(':').map_or("", |(scheme, _)| scheme)
}

fn crosses_in_clear(url: &Secret) -> bool {
    is_far(url) && !speaks_tls(url) && hosts(url).any(|host| !is_here(host))
}

/// Whether nobody can make the way to it a plain one: what is only preferred can be talked out of.
fn speaks_tls(url: &Secret) -> bool {
    let option = |name: &str| {
        let (_, options) = url.expose().split_once('?')?;
        let mut options = options.split('&').filter_map(|option| option.split_once('='));
        options
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    match scheme(url) {
        "postgres" | "postgresql" => {
            // Without a word the adapter wants a certificate of every server but this machine's own.
            let mode = option("sslmode").or_else(|| option("ssl-mode"));
            !mode.is_some_and(|mode| matches!(mode, "disable" | "allow" | "prefer"))
        }
        "mongodb" => option("tls").or_else(|| option("ssl")) == Some("true"),
        // The adapter takes nothing else in clear, and that only on this machine.
        "smtp" => option("starttls") != Some("off"),
        "smtps" => true,
        "mongodb+srv" => option("tls").or_else(|| option("ssl")) != Some("false"),
        scheme => scheme.starts_with("rediss"),
    }
}

/// The machines a URL names, without ports.
fn hosts(url: &Secret) -> impl Iterator<Item = &str> {
    let rest = url.expose().split_once("://").map_or("", |(_, rest)| rest);
    // The last `@`: a password may hold one that nobody escaped.
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let all = place.split(['/', '?', '#']).next().unwrap_or_default();
    all.split(',').map(|host| match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    })
}

/// This machine, or a socket in its file system (`%2Fvar%2Frun`).
fn is_here(host: &str) -> bool {
    let socket = host.is_empty() || host.to_ascii_lowercase().starts_with("%2f");
    socket || address::is_local_name(host) || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clear(url: &str) -> bool {
        crosses_in_clear(&Secret::new(url))
    }

    #[test]
    fn what_crosses_a_network_in_clear_is_told_from_what_does_not() {
        for url in [
            "postgres://me:pw@db.example/users?sslmode=disable",
            "postgresql://db.example/users?sslmode=prefer",
            "mongodb://a.example,b.example/users?replicaSet=r",
            "mongodb+srv://cluster.example/users?tls=false",
            "redis://:pw@cache.example/0",
            "redis-cluster://127.0.0.1:1,10.0.0.7:2",
            "redis-sentinel://s1.example,s2.example/main",
        ] {
            assert!(clear(url), "{url}");
        }
        for url in [
            "postgres://db.example/users",
            "postgres://db.example/users?sslmode=verify-full",
            "postgres://%2Fvar%2Frun%2Fpostgresql/users",
            "postgres:///users",
            "postgres://me:p@ss/w@127.0.0.1:5432/users",
            "mongodb://db.example/users?tls=true",
            "mongodb+srv://cluster.example/users",
            "mongodb://localhost:27017/users",
            "rediss://cache.example",
            "rediss-cluster://a.example,b.example",
            "redis://[::1]:6379",
            "redis-cluster://127.0.0.1:1,127.0.0.1:2",
            "sqlite://./data/portcullis.db",
            "storage:",
        ] {
            assert!(!clear(url), "{url}");
        }
    }
}
