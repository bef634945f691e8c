//! `[server]`: the door.

use std::path::PathBuf;

use super::address::{Listen, Network, is_local_origin, web_origin};
use super::read::Reader;
use super::secret::Secret;

/// Bounds of every timeout here, in seconds.
const SECONDS: std::ops::RangeInclusive<u64> = 1..=600;

/// Settings of the HTTP side.
#[derive(Clone, Debug)]
pub struct Server {
    /// What the service is called in authenticator apps, messages and pages.
    pub service_name: String,
    /// The language of messages to people of whom nothing else is known, as a primary subtag.
    pub language: String,
    /// Where to listen.
    pub listen: Listen,
    /// The address people use, as an origin without a trailing slash; see [`Server::public_url`].
    pub configured_public_url: Option<String>,
    /// Plain http may be used on a host that is not this machine.
    pub allow_insecure_http: bool,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Certificate and key; `None` means plain HTTP.
    pub tls: Option<Tls>,
    /// Web origins whose pages may call the API with credentials, in normal form.
    pub cors_origins: Vec<String>,
    /// Folder with a team's own page.
    pub static_dir: Option<PathBuf>,
    /// Web origins `confirm?redirect=` may go to, besides our own paths, in normal form.
    pub redirect_origins: Vec<String>,
    /// Longest request body, in bytes.
    pub body_limit: u64,
    /// Longest time for the head of a request, in seconds.
    pub header_timeout: u64,
    /// Longest time for the body of a request, in seconds.
    pub body_timeout: u64,
    /// Connections at a time.
    pub max_connections: u64,
    /// Connections at a time from one client address.
    pub max_connections_per_address: u64,
    /// Longest wait for running requests at shutdown, in seconds.
    pub drain_timeout: u64,
    /// Accept `?access_token=`.
    pub query_token: bool,
    /// LoopBack's signed cookies.
    pub legacy_cookies: Option<LegacyCookies>,
}

/// LoopBack's cookies `access_token` and `authorization`, signed with its cookie parser's secret.
#[derive(Clone, Debug)]
pub struct LegacyCookies {
    /// What signs them.
    pub secret: Secret,
    /// Whether they are also written; they are read in any case.
    pub write: bool,
}

/// Certificate chain and private key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain, the server's own first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Server {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let listen = Listen {
            host: "localhost".to_owned(),
            port: 3000,
        };
        let listen = reader.parsed("listen", "localhost:3000", listen, Listen::parse);
        let insecure = reader.flag("allow_insecure_http", false);
        let tls = reader.section("tls", Tls::read);
        let configured_public_url = reader.maybe_parsed("public_url", "\"http://localhost:PORT\"", |text| {
            web_origin(text, insecure)
        });
        if tls.is_some()
            && configured_public_url
                .as_ref()
                .is_some_and(|url| url.starts_with("http:"))
        {
            reader.refuse(
                "public_url",
                "is plain http, but `server.tls` is set: write https",
            );
        }
        Self {
            service_name: reader.parsed("name", "Portcullis", "Portcullis".to_owned(), name),
            language: reader.parsed("language", "en", "en".to_owned(), language),
            listen,
            configured_public_url,
            allow_insecure_http: insecure,
            trusted_proxies: reader.list("trusted_proxies", Network::parse),
            tls,
            cors_origins: reader.list("cors_origins", |text| cors_origin(text, insecure)),
            static_dir: reader.maybe_path("static_dir"),
            redirect_origins: reader.list("redirect_origins", |text| web_origin(text, insecure)),
            body_limit: reader.number("body_limit", 102_400, 1024..=16_777_216),
            header_timeout: reader.number("header_timeout", 10, SECONDS),
            body_timeout: reader.number("body_timeout", 10, SECONDS),
            max_connections: reader.number("max_connections", 4096, 1..=1_000_000),
            max_connections_per_address: reader.number("max_connections_per_address", 512, 1..=1_000_000),
            drain_timeout: reader.number("drain_timeout", 20, SECONDS),
            query_token: reader.flag("query_token", true),
            legacy_cookies: LegacyCookies::read(reader),
        }
    }

    /// The address people use, without a trailing slash. `port` is the one really bound: it differs
    /// from `listen.port` when that is 0.
    pub fn public_url(&self, port: u16) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.configured_public_url
            .clone()
            .unwrap_or_else(|| format!("{scheme}://localhost:{port}"))
    }

    /// Whether the public address is this machine's own: a trial, not a service.
    pub fn is_local(&self) -> bool {
        self.configured_public_url.as_deref().is_none_or(is_local_origin)
    }
}

/// Authenticator apps show a name in a line of its own, and take `:` for the end of it.
fn name(text: &str) -> Result<String, String> {
    if text.trim() == text && text.chars().count() <= 64 && !text.contains(':') {
        return Ok(text.to_owned());
    }
    Err("must have 64 characters at most, no `:` and no blanks around it".to_owned())
}

fn language(text: &str) -> Result<String, String> {
    if (2..=3).contains(&text.len()) && text.chars().all(|c| c.is_ascii_lowercase()) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "must be a language such as `en`, `de`, `es` or `zh`, but is `{text}`"
    ))
}

impl LegacyCookies {
    fn read(reader: &mut Reader) -> Option<Self> {
        #[derive(Clone, Copy, PartialEq, Eq)]
        enum Use {
            Read,
            Write,
            Off,
        }
        let secret = reader.secret("legacy_cookie_secret", "none");
        let others = [("write", Use::Write), ("off", Use::Off)];
        let chosen = reader.choice("legacy_cookies", ("read", Use::Read), &others);
        if chosen == Use::Write && secret.is_none() {
            reader.refuse(
                "legacy_cookies",
                "is `write`, but there is no `server.legacy_cookie_secret` to sign with",
            );
        }
        let secret = secret.filter(|_| chosen != Use::Off)?;
        Some(Self {
            secret,
            write: chosen == Use::Write,
        })
    }
}

impl Tls {
    fn read(reader: &mut Reader) -> Option<Self> {
        match (reader.maybe_path("cert"), reader.maybe_path("key")) {
            (Some(cert), Some(key)) => Some(Self { cert, key }),
            (Some(_), None) if !reader.was_given("key") => {
                reader.refuse("cert", "is given without `server.tls.key`: TLS needs both");
                None
            }
            (None, Some(_)) if !reader.was_given("cert") => {
                reader.refuse("key", "is given without `server.tls.cert`: TLS needs both");
                None
            }
            _ => None,
        }
    }
}

fn cors_origin(text: &str, insecure: bool) -> Result<String, String> {
    if text == "*" {
        return Err(
            "must not hold `*`: pages call this server with credentials, so any page on the web could \
                    act for whoever is logged in (and browsers refuse the combination). Name the origins"
                .to_owned(),
        );
    }
    web_origin(text, insecure)
}
