//! Addresses in settings: where to listen, which proxies to trust, which web origins to allow.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// Where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Host name or address, without brackets; empty means every interface.
    pub host: String,
    /// TCP port; 0 lets the system choose.
    pub port: u16,
}

impl Listen {
    /// Reads `host:port`, `[v6]:port` or `:port`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("must look like `localhost:3000`, `:3000` or `[::1]:3000`, but is `{text}`");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let bare = match host.strip_prefix('[') {
            Some(rest) => {
                let inner = rest.strip_suffix(']').ok_or_else(wrong)?;
                inner.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
                inner
            }
            None => host,
        };
        let plain = bare.len() == host.len();
        if plain && bare.contains(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))) {
            return Err(wrong());
        }
        Ok(Self {
            host: bare.to_owned(),
            port,
        })
    }

    /// Whether only this machine can connect.
    pub fn is_loopback(&self) -> bool {
        is_local_name(&self.host)
            || self
                .host
                .parse()
                .is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

/// A network in CIDR notation; a single address has the full prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The first address of the network.
    pub address: IpAddr,
    /// Leading bits that count: up to 32 for IPv4, up to 128 for IPv6.
    pub prefix: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `::1` and the like.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("must hold addresses or networks such as `10.0.0.0/8`, but has `{text}`");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        if prefix > width {
            return Err(wrong());
        }
        if prefix == 0 {
            return Err(format!(
                "has `{text}`: that trusts everybody, and anybody could then forge an address"
            ));
        }
        let network = Self { address, prefix };
        if network.first() == address {
            return Ok(network);
        }
        let meant = Self {
            address: network.first(),
            prefix,
        };
        Err(format!(
            "has `{text}`, which has bits behind the prefix: write `{meant}`"
        ))
    }

    fn first(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                IpAddr::V4((u32::from(address) & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                IpAddr::V6((u128::from(address) & mask).into())
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Reads a web origin (RFC 6454): scheme, host and perhaps a port, in its normal form. Plain http is for
/// this machine alone, unless `insecure` allows it: a password or a cookie must not cross a network in clear.
pub(super) fn web_origin(text: &str, insecure: bool) -> Result<String, String> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
        .ok_or_else(|| {
            format!("must be an http or https address such as `https://login.example.com`, but is `{text}`")
        })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or a password".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "must be scheme, host and port alone, without a path or a query, but is `{text}`"
        ));
    }
    if url.scheme() == "http" && !insecure && !is_local_url(&url) {
        return Err(format!(
            "is `{text}`: plain http sends passwords in clear text over the network. Use https, or set \
             `server.allow_insecure_http = true` if you really mean it"
        ));
    }
    Ok(url.origin().ascii_serialization())
}

/// Whether an origin from [`web_origin`] names this machine.
pub(super) fn is_local_origin(origin: &str) -> bool {
    Url::parse(origin).is_ok_and(|url| is_local_url(&url))
}

/// Whether an address is this machine's own.
pub fn is_local_url(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_local_name(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// RFC 6761, section 6.3: `localhost` and all below it.
pub(super) fn is_local_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_listen_is_host_and_port() {
        let read = |text| Listen::parse(text).map(|listen| (listen.to_string(), listen.is_loopback()));
        assert_eq!(read("localhost:3000"), Ok(("localhost:3000".to_owned(), true)));
        assert_eq!(read(":3000"), Ok((":3000".to_owned(), false)));
        assert_eq!(read("0.0.0.0:80"), Ok(("0.0.0.0:80".to_owned(), false)));
        assert_eq!(read("[::1]:0"), Ok(("[::1]:0".to_owned(), true)));
        for wrong in [
            "3000",
            "localhost",
            "::1:3000",
            "[::1:3000",
            "[x]:1",
            "host:99999",
            "http://a:1",
            "a b:1",
        ] {
            assert!(Listen::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_network_is_an_address_and_a_prefix() {
        let read = |text| Network::parse(text).map(|network| network.to_string());
        assert_eq!(read("10.0.0.0/8").as_deref(), Ok("10.0.0.0/8"));
        assert_eq!(read("127.0.0.1").as_deref(), Ok("127.0.0.1/32"));
        assert_eq!(read("2001:db8::/32").as_deref(), Ok("2001:db8::/32"));
        for wrong in ["10.0.0.0/33", "10.0.0.0/", "ten", "10.0.0.0/8/8", "::/129"] {
            assert!(Network::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_network_with_loose_bits_is_refused_with_the_right_spelling() {
        assert!(Network::parse("10.1.2.3/8").is_err_and(|message| message.contains("`10.0.0.0/8`")));
        assert!(Network::parse("2001:db8::1/32").is_err_and(|message| message.contains("`2001:db8::/32`")));
    }

    #[test]
    fn nobody_may_trust_everybody() {
        assert!(Network::parse("0.0.0.0/0").is_err_and(|message| message.contains("forge")));
        assert!(Network::parse("::/0").is_err());
    }

    #[test]
    fn an_origin_is_brought_to_its_normal_form() {
        assert_eq!(
            web_origin("HTTPS://Login.Example.com:443/", false).as_deref(),
            Ok("https://login.example.com")
        );
        assert_eq!(
            web_origin("http://localhost:3000", false).as_deref(),
            Ok("http://localhost:3000")
        );
        assert_eq!(
            web_origin("http://[::1]:3000", false).as_deref(),
            Ok("http://[::1]:3000")
        );
    }

    #[test]
    fn plain_http_is_for_this_machine_unless_allowed() {
        assert!(
            web_origin("http://login.example.com", false).is_err_and(|m| m.contains("allow_insecure_http"))
        );
        assert!(web_origin("http://0.0.0.0:3000", false).is_err());
        assert!(web_origin("http://localhost.example.com", false).is_err());
        assert_eq!(
            web_origin("http://login.lan", true).as_deref(),
            Ok("http://login.lan")
        );
    }

    #[test]
    fn more_than_an_origin_is_refused() {
        for wrong in [
            "https://a.example/login",
            "https://a.example/?x",
            "https://a.example/#x",
            "https://me:pw@a.example",
        ] {
            assert!(web_origin(wrong, false).is_err(), "{wrong}");
        }
        for wrong in [
            "null",
            "ftp://a.example",
            "a.example",
            "javascript:alert(1)",
            "https://",
        ] {
            assert!(web_origin(wrong, false).is_err(), "{wrong}");
        }
    }
}
