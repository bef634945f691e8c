use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How we ask others.
#[derive(Clone)]
pub struct OutboundConfig {
    /// Longest wait for a connection: name, TCP and TLS.
    pub connect_timeout: Duration,
    /// Longest wait for the whole exchange, body and retry included.
    pub total_timeout: Duration,
    /// Largest body read, in bytes.
    pub max_body: usize,
    /// Certificates in PEM that are trusted beside the platform's own.
    pub ca_file: Option<PathBuf>,
    /// A proxy for everything that is not on this machine, as `http://host:port`.
    pub proxy: Option<String>,
    /// What we call ourselves. Some providers refuse the nameless (GitHub).
    pub user_agent: String,
}

impl Default for OutboundConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(8),
            max_body: 1024 * 1024,
            ca_file: None,
            proxy: None,
            user_agent: concat!("Portcullis/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The proxy's address may hold a password: only whether there is one is shown.
impl fmt::Debug for OutboundConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundConfig")
            .field("connect_timeout", &self.connect_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("max_body", &self.max_body)
            .field("ca_file", &self.ca_file)
            .field("proxy", &self.proxy.is_some())
            .field("user_agent", &self.user_agent)
            .finish()
    }
}
