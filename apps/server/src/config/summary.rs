//! The configuration in a few lines for people, without secrets.

use std::fmt::Write as _;

use super::far::is_far;
use super::load::Loaded;
use super::safety::SecondFactor;
use super::users::UserPool;

impl Loaded {
    /// What the server would do with this configuration, in a few lines. Holds no secret.
    pub fn summary(&self) -> String {
        let config = &self.config;
        let server = &config.server;
        let mut lines = vec![
            (
                "listens on",
                format!(
                    "{} ({})",
                    server.listen,
                    if server.tls.is_some() { "TLS" } else { "plain HTTP" }
                ),
            ),
            ("name", server.service_name.clone()),
            ("public address", server.public_url(server.listen.port)),
            ("storage", storage(&config.storage)),
            ("sessions", sessions(&config.sessions)),
            ("SMS", config.sms.kind.clone()),
            (
                "mail",
                format!(
                    "{} from {}",
                    config.mail.url.without_credentials(),
                    config.mail.from
                ),
            ),
            ("key file", config.secrets.key_file.display().to_string()),
            ("log", config.log.level.clone()),
            ("hashing", hashing(&config.hash)),
            ("breached", breached(&config.passwords)),
            (
                "limits",
                if config.limits.enabled { "on" } else { "OFF" }.to_owned(),
            ),
        ];
        if let Some(file) = &config.audit.file {
            lines.push(("audit stream", file.display().to_string()));
        }
        if !server.trusted_proxies.is_empty() {
            let proxies: Vec<_> = server.trusted_proxies.iter().map(ToString::to_string).collect();
            lines.push(("trusted proxies", proxies.join(", ")));
        }
        let webhooks: Vec<&str> = config
            .webhooks
            .iter()
            .map(|webhook| webhook.name.as_str())
            .collect();
        for (name, listed) in [
            ("CORS origins", server.cors_origins.join(", ")),
            ("tokens for", config.jwt.audiences.join(", ")),
            ("webhooks", webhooks.join(", ")),
        ] {
            if !listed.is_empty() {
                lines.push((name, listed));
            }
        }
        if let Some(folder) = &server.static_dir {
            lines.push(("static folder", folder.display().to_string()));
        }
        lines.extend(config.users.iter().map(|pool| ("users", pool_line(pool))));
        let mut text = self.headline();
        for (name, value) in lines {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  {name:<16}{value}");
        }
        text
    }

    fn headline(&self) -> String {
        let source = &self.source;
        match self.variables {
            0 => format!("The configuration is fine ({source})."),
            1 => format!("The configuration is fine ({source} and one environment variable)."),
            many => format!("The configuration is fine ({source} and {many} environment variables)."),
        }
    }
}

fn storage(storage: &super::Storage) -> String {
    let place = storage.url.without_credentials();
    if is_far(&storage.url) {
        format!("{place}, {} connections at most", storage.max_connections)
    } else {
        place
    }
}

fn sessions(sessions: &super::Sessions) -> String {
    let place = sessions.url.without_credentials();
    if is_far(&sessions.url) {
        format!("{place}, keys begin with {}", sessions.prefix)
    } else {
        place
    }
}

fn breached(passwords: &super::Passwords) -> String {
    let file = passwords
        .breached_file
        .as_ref()
        .map(|file| file.display().to_string());
    let asked: Vec<String> = file.into_iter().chain(passwords.breached_url.clone()).collect();
    if asked.is_empty() {
        "the built-in list of the most common passwords alone".to_owned()
    } else {
        asked.join(" and ")
    }
}

fn hashing(hash: &super::Hash) -> String {
    let super::Hash {
        memory_kib,
        iterations,
        parallelism,
        workers,
        queue,
    } = hash;
    format!("Argon2id m={memory_kib},t={iterations},p={parallelism}; {workers} at a time, {queue} may wait")
}

fn pool_line(pool: &UserPool) -> String {
    let factor = match pool.safety.second_factor {
        SecondFactor::Off => "off",
        SecondFactor::Optional => "optional",
        SecondFactor::Required => "required",
    };
    let UserPool {
        plural,
        model_name,
        ttl,
        ..
    } = pool;
    format!("/api/{plural} ({model_name}): second factor {factor}, tokens live {ttl} s")
}
