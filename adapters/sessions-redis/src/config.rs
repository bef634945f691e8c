//! Settings.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use domain::secret::Secret;
use domain::time::Lifetime;

use crate::OpenError;

const MIB: u64 = 1024 * 1024;
const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Where Redis is and how it is used.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// What every key begins with, so that several servers share one Redis. Letters, digits, `:`, `.`, `_` and `-`.
    pub prefix: String,
    /// Certificates (PEM) of the authority that signed Redis' own; without it the system's.
    pub ca_file: Option<PathBuf>,
    /// How long one call of Redis may take before it counts as failed.
    pub timeout: Duration,
    /// Calls under way at one node of Redis; further ones are refused as busy.
    pub in_flight: usize,
    /// Most bytes of sessions kept in this process; 0 for none.
    pub cache_bytes: u64,
    /// How much longer a record stays in Redis than it lives: more than the clocks of two nodes differ by, less than the hour
    /// that a tombstone outlives what it covers.
    pub grace: Lifetime,
    pub(crate) reach: Reach,
    pub(crate) is_tls: bool,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) database: i64,
}

/// What the addresses lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// One server.
    Single(Address),
    /// Some nodes of a cluster.
    Cluster(Vec<Address>),
    /// Sentinels that watch a master of that name.
    Sentinel { sentinels: Vec<Address>, master: String },
}

/// Host and port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address {
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The parts of a URL, none of them read yet.
struct Parts<'a> {
    kind: &'a str,
    is_tls: bool,
    credentials: Option<&'a str>,
    hosts: &'a str,
    path: &'a str,
}

impl RedisConfig {
    /// Reads `redis://[user:password@]host[:port][/database]`, `redis-cluster://h1,h2,…` or `redis-sentinel://h1,h2,…/NAME`;
    /// `rediss…` for TLS. User and password are percent-encoded.
    ///
    /// # Errors
    /// [`OpenError::Url`] with a sentence that never repeats the URL.
    pub fn parse(url: &Secret) -> Result<Self, OpenError> {
        let parts = Parts::of(url.expose())?;
        let (user, password) = credentials(parts.credentials)?;
        let (reach, database) = match parts.kind {
            "redis" => single(&parts)?,
            "redis-cluster" => (cluster(&parts)?, 0),
            _ => (sentinel(&parts)?, 0),
        };
        Ok(Self {
            prefix: "portcullis:".to_owned(),
            ca_file: None,
            timeout: Duration::from_secs(1),
            in_flight: 1024,
            cache_bytes: 32 * MIB,
            grace: Lifetime::from_secs(600),
            reach,
            is_tls: parts.is_tls,
            user,
            password,
            database,
        })
    }

    /// Whether the rest makes sense; the URL did.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ":._-".contains(c);
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.chars().all(is_plain) {
            return Err(OpenError::Prefix);
        }
        if self.ca_file.is_some() && !self.is_tls {
            return Err(OpenError::url(
                "a certificate file needs rediss: the URL says redis, without TLS",
            ));
        }
        Ok(())
    }
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Result<Self, OpenError> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| OpenError::url("it does not begin with redis://, or another scheme and ://"))?;
        let (kind, is_tls) = match scheme {
            "redis" => ("redis", false),
            "rediss" => ("redis", true),
            "redis-cluster" => ("redis-cluster", false),
            "rediss-cluster" => ("redis-cluster", true),
            "redis-sentinel" => ("redis-sentinel", false),
            "rediss-sentinel" => ("redis-sentinel", true),
            _ => {
                return Err(OpenError::url(
                    "its scheme is none of redis, rediss, redis-cluster, rediss-cluster, redis-sentinel, rediss-sentinel",
                ));
            }
        };
        if rest.contains(['?', '#']) {
            return Err(OpenError::url(
                "it has options (?) or a fragment (#), which mean nothing here; encode them in a password as %3F and %23",
            ));
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        Ok(Self {
            kind,
            is_tls,
            credentials,
            hosts,
            path,
        })
    }

    fn addresses(&self, port: u16) -> Result<Vec<Address>, OpenError> {
        self.hosts.split(',').map(|host| address(host, port)).collect()
    }
}

fn single(parts: &Parts<'_>) -> Result<(Reach, i64), OpenError> {
    if parts.hosts.contains(',') {
        return Err(OpenError::url(
            "it names several hosts: use redis-cluster:// or redis-sentinel://",
        ));
    }
    let database = match parts.path {
        "" => 0,
        digits => digits
            .parse::<u16>()
            .map_err(|_| OpenError::url("what follows the host is no database number"))?,
    };
    Ok((Reach::Single(address(parts.hosts, REDIS_PORT)?), database.into()))
}

fn cluster(parts: &Parts<'_>) -> Result<Reach, OpenError> {
    if !parts.path.is_empty() {
        return Err(OpenError::url(
            "a cluster has only one database: nothing may follow the hosts",
        ));
    }
    Ok(Reach::Cluster(parts.addresses(REDIS_PORT)?))
}

fn sentinel(parts: &Parts<'_>) -> Result<Reach, OpenError> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if parts.path.is_empty() || !parts.path.chars().all(is_name) {
        return Err(OpenError::url(
            "it must end in a slash and the name under which the sentinels know the master",
        ));
    }
    Ok(Reach::Sentinel {
        sentinels: parts.addresses(SENTINEL_PORT)?,
        master: parts.path.to_owned(),
    })
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn address(text: &str, default_port: u16) -> Result<Address, OpenError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest
                .split_once(']')
                .ok_or_else(|| OpenError::url("a host begins with [ but has no ]"))?;
            (host, port.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || "._-:".contains(c);
    if host.is_empty() || !host.chars().all(is_host) {
        return Err(OpenError::url("a host is missing or malformed"));
    }
    let port = match port {
        Some(digits) => digits
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(|| OpenError::url("a port is no number between 1 and 65535"))?,
        None => default_port,
    };
    Ok(Address {
        host: host.to_owned(),
        port,
    })
}

fn credentials(text: Option<&str>) -> Result<(Option<String>, Option<Secret>), OpenError> {
    let Some(text) = text else {
        return Ok((None, None));
    };
    let Some((user, password)) = text.split_once(':') else {
        return Err(OpenError::url(
            "a user stands there without a password: write user:password@ or :password@",
        ));
    };
    let user = decoded(user)?;
    let password = Secret::new(decoded(password)?);
    Ok((Some(user).filter(|user| !user.is_empty()), Some(password)))
}

/// Percent-decoding (RFC 3986 section 2.1).
fn decoded(text: &str) -> Result<String, OpenError> {
    let malformed = || OpenError::url("user or password are not percent-encoded UTF-8");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit().ok_or_else(malformed)?, digit().ok_or_else(malformed)?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| malformed())?);
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> RedisConfig {
        RedisConfig::parse(&Secret::new(url)).unwrap()
    }

    fn at(host: &str, port: u16) -> Address {
        Address {
            host: host.to_owned(),
            port,
        }
    }

    #[test]
    fn one_server_has_user_password_port_and_database() {
        let config = parsed("rediss://ann:p%40ss%2Fw%C3%B6rd@redis.example:7000/3");
        assert_eq!(config.reach, Reach::Single(at("redis.example", 7000)));
        assert!(config.is_tls);
        assert_eq!(config.user.as_deref(), Some("ann"));
        assert_eq!(config.password.as_ref().map(Secret::expose), Some("p@ss/wörd"));
        assert_eq!(config.database, 3);
        let plain = parsed("redis://[::1]");
        assert_eq!(plain.reach, Reach::Single(at("::1", 6379)));
        assert!(!plain.is_tls && plain.user.is_none() && plain.password.is_none());
    }

    #[test]
    fn a_cluster_and_sentinels_have_several_hosts() {
        let config = parsed("redis-cluster://:secret@a:1,b,[::2]:3");
        let nodes = vec![at("a", 1), at("b", 6379), at("::2", 3)];
        assert_eq!(config.reach, Reach::Cluster(nodes));
        assert!(config.user.is_none() && config.password.is_some());
        let config = parsed("rediss-sentinel://a,b:5/my-master");
        let reach = Reach::Sentinel {
            sentinels: vec![at("a", 26379), at("b", 5)],
            master: "my-master".to_owned(),
        };
        assert_eq!(config.reach, reach);
    }

    #[test]
    fn an_unusable_url_gets_a_sentence_without_its_password() {
        for url in [
            "",
            "127.0.0.1:6379",
            "http://a",
            "unix:///tmp/redis.sock",
            "redis://",
            "redis://:hunter2@",
            "redis://a:hunter2@b:no",
            "redis://a:hunter2@b:0",
            "redis://a:hunter2@b:99999",
            "redis://a:hunter2@b/x",
            "redis://a:hunter2@b,c",
            "redis://hunter2@a",
            "redis://a:hunter2%zz@b",
            "redis://a:hunter2@[::1",
            "redis://a:hunter2@b?protocol=3",
            "redis-cluster://a:hunter2@b,c/1",
            "redis-cluster://a:hunter2@b,,c",
            "redis-sentinel://a:hunter2@b,c",
            "redis-sentinel://a:hunter2@b,c/na me",
        ] {
            let error = RedisConfig::parse(&Secret::new(url)).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(!said.contains("hunter2"), "{said}");
            assert!(error.to_string().len() > 40, "{said}");
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let shown = format!("{:?}", parsed("redis://ann:hunter2@a"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_prefix_that_would_break_keys_or_patterns_is_refused() {
        for prefix in ["", "a{b}", "a*", "a b", "ä"] {
            let config = RedisConfig {
                prefix: prefix.to_owned(),
                ..parsed("redis://a")
            };
            assert!(config.check().is_err(), "{prefix}");
        }
        assert!(parsed("redis://a").check().is_ok());
    }
}
