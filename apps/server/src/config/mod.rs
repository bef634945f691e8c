//! The configuration: one file per section, plain data without domain types.
//!
//! A section asks [`read::Reader`] for its keys by name, type, default and bounds; the keys it asks
//! for are the keys that exist. Whatever is left over is an unknown key. Every value remembers the
//! line or the variable it came from, so that a fault can be found. `docs/CONFIG.md` lists all keys;
//! a test compares the two.

mod access;
mod acl;
mod address;
mod audit;
mod check;
mod convert;
mod env;
mod far;
mod hash;
mod jwt;
mod limits;
mod lives;
mod load;
mod log;
mod mail;
mod nearest;
mod outbound;
mod passwords;
mod problem;
mod providers;
mod read;
mod safety;
mod secret;
mod secrets;
mod server;
mod sessions;
mod sms;
mod source;
mod storage;
mod summary;
#[cfg(test)]
mod tests;
mod users;
mod webhooks;

pub use access::{Access, ModelAcl};
pub use acl::Acl;
pub use address::{Listen, is_local_url};
pub use audit::Audit;
pub use convert::read_secret;
pub use env::Environment;
pub use hash::Hash;
pub use jwt::Jwt;
pub use limits::{Limits, Lockout, Rate};
pub use load::{Loaded, Source, load};
pub use log::{Log, LogFormat};
pub use mail::Mail;
pub use nearest::nearest_key;
pub use outbound::Outbound;
pub use passwords::Passwords;
pub use providers::Providers;
pub use safety::SecondFactor;
pub use secret::Secret;
pub use secrets::Secrets;
pub use server::Server;
pub use sessions::Sessions;
pub use sms::Sms;
pub use storage::Storage;
pub use users::UserPool;
pub use webhooks::Webhook;

use read::Reader;

/// Everything that can be configured. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[storage]`
    pub storage: Storage,
    /// `[sessions]`
    pub sessions: Sessions,
    /// `[sms]`
    pub sms: Sms,
    /// `[mail]`
    pub mail: Mail,
    /// `[providers]`
    pub providers: Providers,
    /// `[outbound]`
    pub outbound: Outbound,
    /// `[secrets]`
    pub secrets: Secrets,
    /// `[audit]`
    pub audit: Audit,
    /// `[log]`
    pub log: Log,
    /// `[hash]`
    pub hash: Hash,
    /// `[passwords]`
    pub passwords: Passwords,
    /// `[limits]`
    pub limits: Limits,
    /// `[access]`
    pub access: Access,
    /// `[jwt]`
    pub jwt: Jwt,
    /// `[[webhooks]]`
    pub webhooks: Vec<Webhook>,
    /// `[users.<Plural>]`: the pools that are switched on, at least one.
    pub users: Vec<UserPool>,
}

impl Config {
    fn read(reader: &mut Reader) -> Self {
        let server = reader.section("server", Server::read);
        let insecure = server.allow_insecure_http;
        Self {
            server,
            storage: reader.section("storage", Storage::read),
            sessions: reader.section("sessions", Sessions::read),
            sms: reader.section("sms", Sms::read),
            mail: reader.section("mail", Mail::read),
            providers: reader.section("providers", |reader| Providers::read(reader, insecure)),
            outbound: reader.section("outbound", Outbound::read),
            secrets: reader.section("secrets", Secrets::read),
            audit: reader.section("audit", Audit::read),
            log: reader.section("log", Log::read),
            hash: reader.section("hash", Hash::read),
            passwords: reader.section("passwords", Passwords::read),
            limits: reader.section("limits", Limits::read),
            access: reader.section("access", Access::read),
            jwt: reader.section("jwt", Jwt::read),
            webhooks: reader.sections("webhooks", Webhook::read),
            users: reader.section("users", users::read),
        }
    }

    /// Whether any value is worth hiding.
    fn holds_secrets(&self) -> bool {
        let urls = [&self.storage.url, &self.sessions.url, &self.mail.url];
        !self.webhooks.is_empty()
            || self.sms.api_key.is_some()
            || self.sms.api_secret.is_some()
            || self.server.legacy_cookies.is_some()
            || self
                .outbound
                .proxy
                .as_ref()
                .is_some_and(Secret::holds_credentials)
            || urls.into_iter().any(Secret::holds_credentials)
    }
}

/// The key `url` (or `url_file`): a scheme that chooses an adapter, and what that adapter wants to know.
fn url_of(reader: &mut Reader, default: &str) -> Secret {
    let Some(url) = reader.secret("url", &format!("\"{default}\"")) else {
        return Secret::new(default);
    };
    let has_scheme = url.expose().split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
    });
    if !has_scheme {
        // The value is not quoted: it may be a password in the wrong place.
        reader.refuse("url", format!("must be a URL with a scheme, such as `{default}`"));
    }
    url
}
