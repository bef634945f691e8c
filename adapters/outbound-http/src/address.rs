use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::OutboundError;

/// Whether an address is on this machine, where plain http is heard by nobody else. A name counts only if it is `localhost`: what
/// others resolve to is in somebody else's hand.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => Ipv4Addr::is_loopback(&address),
        Some(Host::Ipv6(address)) => Ipv6Addr::is_loopback(&address),
        None => false,
    }
}

/// Judges an address without asking anybody: what [`crate::Outbound::send`] would refuse is refused.
///
/// # Errors
/// [`OutboundError::Address`], or [`OutboundError::Plaintext`] for one that others could listen to.
pub fn check_address(address: &str) -> Result<(), OutboundError> {
    admit(address).map(|_| ())
}

/// The address and the host's name for errors, if it may be asked at all.
pub fn admit(address: &str) -> Result<(Url, String), OutboundError> {
    let url = Url::parse(address).map_err(|_| OutboundError::Address("it cannot be read"))?;
    let host = url.host_str().ok_or(OutboundError::Address("it has no host"))?;
    let host = host.to_owned();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OutboundError::Address("it holds a user"));
    }
    if url.fragment().is_some() {
        return Err(OutboundError::Address("it holds a fragment"));
    }
    match url.scheme() {
        "https" => Ok((url, host)),
        "http" if is_loopback(&url) => Ok((url, host)),
        "http" => Err(OutboundError::Plaintext { host }),
        _ => Err(OutboundError::Address("it is no web address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine() {
        for good in [
            "http://localhost:3000/a",
            "http://127.0.0.1/",
            "http://127.8.9.10:1/",
            "http://[::1]:80/",
            "http://0x7f.1/",
            "https://issuer.example/",
        ] {
            assert!(admit(good).is_ok(), "{good}");
        }
        for bad in [
            "http://issuer.example/",
            "http://localhost.issuer.example/",
            "http://128.0.0.1/",
            "http://0.0.0.0/",
            "http://[::2]/",
            "http://127.0.0.1.issuer.example/",
        ] {
            let refused = admit(bad).unwrap_err();
            assert!(matches!(refused, OutboundError::Plaintext { .. }), "{bad}");
        }
    }

    #[test]
    fn an_address_with_a_user_or_a_fragment_is_none() {
        for bad in [
            "https://ann@issuer.example/",
            "https://:secret@issuer.example/",
            "https://issuer.example/#part",
            "ftp://localhost/",
            "file:///etc/passwd",
            "/relative",
            "data:,x",
            "",
        ] {
            let refused = admit(bad).unwrap_err();
            assert!(matches!(refused, OutboundError::Address(_)), "{bad}");
            assert!(!refused.to_string().contains("secret"));
        }
    }
}
