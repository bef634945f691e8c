//! `[outbound]`: our own calls to providers.

use std::path::PathBuf;

use super::read::Reader;
use super::secret::Secret;

/// Settings of outgoing HTTP.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Certificates to trust besides the built-in ones, PEM.
    pub ca_file: Option<PathBuf>,
    /// Longest time for one call, in seconds.
    pub timeout: u64,
    /// A proxy for all calls; may hold a password.
    pub proxy: Option<Secret>,
}

impl Outbound {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let proxy = reader.secret("proxy", "none");
        let is_http = |proxy: &Secret| {
            let text = proxy.expose();
            text.starts_with("http://") || text.starts_with("https://")
        };
        if proxy.as_ref().is_some_and(|proxy| !is_http(proxy)) {
            // The value is not quoted: it may hold a password.
            reader.refuse(
                "proxy",
                "must be an http or https address such as `http://proxy.lan:3128`",
            );
        }
        Self {
            ca_file: reader.maybe_path("ca_file"),
            // A refresh makes two calls at most; both must end within the lease of 30 seconds that one caller has for it.
            timeout: reader.number("timeout", 8, 1..=14),
            proxy,
        }
    }
}
