//! What the edge is told by configuration.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use domain::id::PoolName;
use domain::secret::Secret;

/// A network whose forwarded headers are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedNetwork {
    /// Its address.
    pub address: IpAddr,
    /// How many leading bits count.
    pub prefix: u8,
}

impl TrustedNetwork {
    /// Whether an address lies in this network; IPv4-mapped addresses count as IPv4.
    pub fn contains(&self, other: IpAddr) -> bool {
        match (self.address.to_canonical(), other.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same_bits(
                u128::from(a.to_bits()) << 96,
                u128::from(b.to_bits()) << 96,
                self.prefix,
            ),
            (IpAddr::V6(a), IpAddr::V6(b)) => same_bits(a.to_bits(), b.to_bits(), self.prefix),
            _ => false,
        }
    }
}

fn same_bits(a: u128, b: u128, prefix: u8) -> bool {
    u32::from(prefix) == 0 || (a ^ b).leading_zeros() >= u32::from(prefix)
}

/// The cookies that LoopBack's passport component sets, and clients of old programs read.
#[derive(Clone, Debug)]
pub struct LegacyCookies {
    /// Signs them (`cookie-parser`'s secret). With it their signature is checked.
    pub secret: Secret,
    /// Whether a log-in at a provider sets them too.
    pub write: bool,
}

/// Settings of the HTTP edge.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// `scheme://host[:port]` under which people reach us; no slash at its end.
    pub public_url: String,
    /// Networks whose `Forwarded`/`X-Forwarded-For` we believe.
    pub trusted_proxies: Vec<TrustedNetwork>,
    /// Origins whose pages may call the API from a browser, exactly as a browser writes them.
    pub cors_origins: Vec<String>,
    /// Origins that `confirm?redirect=` and the `returnTo` of a log-in at a provider may lead to besides our own.
    pub redirect_origins: Vec<String>,
    /// Where a log-in at a provider may lead besides our own paths: origins (`https://app.example.com`), or whole addresses up to
    /// their query (`com.example.app:/signed-in`), which is the only form for schemes of apps.
    pub return_to: Vec<String>,
    /// LoopBack's own cookies, where old clients still bring or want them.
    pub legacy_cookies: Option<LegacyCookies>,
    /// A folder with the team's own page.
    pub static_dir: Option<PathBuf>,
    /// Most bytes of a request body.
    pub body_limit: usize,
    /// How long a request body may take.
    pub body_timeout: Duration,
    /// Whether `?access_token=` is read.
    pub query_token: bool,
    /// The pool of pages opened without `?pool=`.
    pub default_pool: PoolName,
}

impl HttpSettings {
    /// Whether people reach us over TLS: cookies are `Secure` and `__Host-` then.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str, prefix: u8) -> TrustedNetwork {
        TrustedNetwork {
            address: text.parse().unwrap(),
            prefix,
        }
    }

    #[test]
    fn a_network_holds_its_own_addresses_and_no_others() {
        let ten = network("10.0.0.0", 8);
        assert!(ten.contains("10.200.3.4".parse().unwrap()));
        assert!(ten.contains("::ffff:10.1.1.1".parse().unwrap()));
        assert!(!ten.contains("11.0.0.1".parse().unwrap()));
        assert!(!ten.contains("::a".parse().unwrap()));
        assert!(network("2001:db8::", 32).contains("2001:db8:9::1".parse().unwrap()));
        assert!(network("0.0.0.0", 0).contains("1.2.3.4".parse().unwrap()));
    }
}
