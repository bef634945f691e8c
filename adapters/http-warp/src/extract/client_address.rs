//! Where a request came from: the socket, or what a trusted proxy says of it.

use std::net::IpAddr;

use http::HeaderMap;

use crate::settings::TrustedNetwork;

/// The client's address. `X-Forwarded-For` is read from its right end, one hop per trusted proxy, and only when the socket
/// itself belongs to one: whatever a client writes to the left of that is never believed.
pub fn of(headers: &HeaderMap, socket: IpAddr, trusted: &[TrustedNetwork]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if trusted.is_empty() || !is_trusted(socket) {
        return socket;
    }
    let mut nearest = socket;
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    for line in lines {
        let Ok(line) = line.to_str() else { break };
        for hop in line.rsplit(',') {
            match parse(hop.trim()) {
                Some(address) => nearest = address,
                None => return nearest,
            }
            if !is_trusted(nearest) {
                return nearest;
            }
        }
    }
    nearest
}

/// An address as proxies write it: plain, in brackets, or with a port.
fn parse(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if let Ok(address) = text.parse::<std::net::SocketAddr>() {
        return Some(address.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::limits::ClientAddress;

    fn from(socket: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted = [TrustedNetwork {
            address: "10.0.0.0".parse().unwrap(),
            prefix: 8,
        }];
        let address = of(&headers, socket.parse().unwrap(), &trusted);
        ClientAddress::of(address).as_str().to_owned()
    }

    #[test]
    fn a_stranger_forwards_nothing() {
        assert_eq!(from("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_names_the_client() {
        assert_eq!(from("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(from("10.0.0.1", &["[2001:db8:1:2::5]:443"]), "2001:db8:1:2::/64");
    }

    #[test]
    fn what_the_client_wrote_itself_is_not_believed() {
        assert_eq!(
            from("10.0.0.1", &["127.0.0.1, 203.0.113.9, 10.0.0.2"]),
            "203.0.113.9"
        );
        assert_eq!(from("10.0.0.1", &["127.0.0.1", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(from("10.0.0.1", &["rubbish, 10.0.0.7"]), "10.0.0.7");
    }
}
