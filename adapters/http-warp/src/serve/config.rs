//! Every number that bounds a connection, with its default and the reason for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How the accept loop listens and what it grants a client.
///
/// The defaults serve browsers and reverse proxies alike and cut off slow-loris clients within seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeConfig {
    /// Addresses to listen on; at least one. Port 0 lets the system choose. Default `127.0.0.1:3000`.
    pub listen: Vec<SocketAddr>,
    /// Certificate and key; `None` (default) serves plain HTTP.
    pub tls: Option<TlsFiles>,
    /// From the first byte of a request head (or from the start of a fresh connection) to its end.
    /// Default 10 s.
    pub header_timeout: Duration,
    /// From the end of the head to the end of the body, however steadily it drips. Default 10 s.
    pub body_timeout: Duration,
    /// For the whole TLS handshake. Default 10 s.
    pub handshake_timeout: Duration,
    /// How long a connection may rest between requests. Default 75 s, longer than the 60 s that reverse
    /// proxies keep their pooled connections: the side that reuses should be the side that closes.
    pub idle_timeout: Duration,
    /// How long a client may refuse to take a single byte of an answer. Default 30 s.
    pub write_timeout: Duration,
    /// How long running requests may still take once a shutdown began. Default 20 s.
    pub drain_timeout: Duration,
    /// Connections open at once; the next caller gets 503. Default 4096, lowered with a warning where the
    /// process may not open that many files.
    pub max_connections: usize,
    /// Connections open at once from one IPv4 address or one IPv6 /64. Default 512. Behind a reverse proxy
    /// all connections have the proxy's address.
    pub max_connections_per_address: usize,
    /// Size of a request head in bytes, request line included; more is 431. Default 16 KiB, as in Node.
    pub max_header_bytes: usize,
    /// Requests running at once on one HTTP/2 connection. Default 100.
    pub max_streams: u32,
    /// How often the TLS files are looked at for a change. Default 5 s.
    pub tls_reload_interval: Duration,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 3000))],
            tls: None,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(20),
            max_connections: 4096,
            max_connections_per_address: 512,
            max_header_bytes: 16 * 1024,
            max_streams: 100,
            tls_reload_interval: Duration::from_secs(5),
        }
    }
}

/// Where the TLS certificate and its key lie, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate first, then its intermediates.
    pub cert: PathBuf,
    /// The private key, unencrypted, readable by this process alone.
    pub key: PathBuf,
}
