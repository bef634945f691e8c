//! What no single key can tell: files that must be there, and choices that deserve a warning.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::problem::Problem;
use super::{Config, Source, far};

/// Files and folders that the configuration names and that must be there already.
pub(super) fn surroundings(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(tls) = &config.server.tls {
        for (key, path) in [("cert", &tls.cert), ("key", &tls.key)] {
            if let Err(error) = fs::File::open(path) {
                problems.push(problem(format!(
                    "`server.tls.{key}` names {}, which cannot be read: {error}",
                    path.display()
                )));
            }
        }
    }
    if let Some(folder) = config
        .server
        .static_dir
        .as_ref()
        .filter(|folder| !folder.is_dir())
    {
        problems.push(problem(format!(
            "`server.static_dir` names {}, which is not a folder",
            folder.display()
        )));
    }
    let authorities = [
        ("outbound", &config.outbound.ca_file),
        ("storage", &config.storage.ca_file),
        ("sessions", &config.sessions.ca_file),
        ("mail", &config.mail.ca_file),
    ];
    for (section, path) in authorities {
        if let Some(path) = path
            && let Err(error) = fs::File::open(path)
        {
            problems.push(problem(format!(
                "`{section}.ca_file` names {}, which cannot be read: {error}",
                path.display()
            )));
        }
    }
    if let Some(folder) = config.audit.file.as_deref().and_then(Path::parent)
        && !folder.as_os_str().is_empty()
        && !folder.is_dir()
    {
        problems.push(problem(format!(
            "`audit.file` stands in {}, which is not a folder",
            folder.display()
        )));
    }
    if let Some(named) = &config.access.admin_pool
        && !config.users.iter().any(|pool| pool.plural == *named)
    {
        problems.push(problem(format!(
            "`access.admin_pool` names {named}, and there is no `[users.{named}]`"
        )));
    }
    problems.extend(webhooks(config));
    let providers = &config.providers;
    if providers.named && !providers.file.exists() {
        problems.push(problem(format!(
            "`providers.file` names {}, which is not there",
            providers.file.display()
        )));
    }
    problems
}

/// Webhooks whose names or pools will not do.
fn webhooks(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (place, webhook) in config.webhooks.iter().enumerate() {
        let name = &webhook.name;
        let before = config.webhooks.iter().take(place);
        if !name.is_empty() && before.into_iter().any(|other| other.name == *name) {
            problems.push(problem(format!(
                "`webhooks` has `{name}` twice: name each differently"
            )));
        }
        if let Some(pool) = &webhook.pool
            && !config.users.iter().any(|known| known.plural == *pool)
        {
            problems.push(problem(format!(
                "`webhooks` of `{name}` hears of the pool {pool}, and there is no `[users.{pool}]`"
            )));
        }
    }
    problems
}

/// Choices that work, but that somebody should know of before strangers do.
pub(super) fn warnings(config: &Config, source: &Source) -> Vec<String> {
    let server = &config.server;
    let mut warnings = Vec::new();
    let mut warn = |when: bool, sentence: &str| {
        if when {
            warnings.push(sentence.to_owned());
        }
    };
    warn(
        server.configured_public_url.is_none() && !server.listen.is_loopback(),
        "`server.listen` is open to the network, but `server.public_url` is not set: links in mails will say localhost",
    );
    warn(
        !server.is_local() && server.allow_insecure_http,
        "`server.allow_insecure_http` is on: passwords and tokens may cross the network in clear text",
    );
    warn(
        !server.is_local() && server.tls.is_none() && server.trusted_proxies.is_empty(),
        "there is no TLS here and `server.trusted_proxies` is empty: behind a proxy every caller will seem to have \
         the proxy's address and share its limits",
    );
    warn(
        !config.limits.enabled,
        "`limits.enabled` is false: passwords and codes can be guessed without end",
    );
    warn(
        !server.is_local() && config.sms.kind == "console",
        "`sms.kind` is console: whoever reads the output of this server reads everybody's codes",
    );
    warn(
        !server.is_local() && config.mail.url.expose().starts_with("console:"),
        "`mail.url` is console: whoever reads the output of this server reads everybody's links",
    );
    warn(
        config.sms.kind == "console" && config.sms.names_a_gateway(),
        "`sms.kind` is console, so `sms.api_key`, `sms.api_secret`, `sms.from` and `sms.base_url` do nothing",
    );
    warn(
        server
            .legacy_cookies
            .as_ref()
            .is_some_and(|cookies| cookies.write),
        "`server.legacy_cookies` is write: the token then also stands in a cookie of LoopBack's form, for every client that \
         still reads it",
    );
    warnings.extend(far::warnings(config));
    let mut warn = |when: bool, sentence: &str| {
        if when {
            warnings.push(sentence.to_owned());
        }
    };
    if let Some(tls) = &server.tls {
        warn(
            open_to_others(&tls.key),
            "the file of `server.tls.key` can be read by other users: chmod 600",
        );
    }
    if let Source::File(path) = source {
        warn(
            config.holds_secrets() && open_to_others(path),
            "the configuration file can be read by other users: chmod 600, or move the secrets to `…_file` keys",
        );
    }
    warnings
}

fn problem(message: String) -> Problem {
    Problem {
        origin: None,
        message,
    }
}

fn open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}
