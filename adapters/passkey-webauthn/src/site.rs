//! The site that passkeys are made for.

use url::{Host, Url};

/// A relying party (WebAuthn section 4): passkeys of one site are of no use to any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub(crate) id: String,
    pub(crate) origin: Url,
    pub(crate) name: String,
}

/// Why there are no passkeys for an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// It is no address of a web site.
    #[error("`{0}` is no address of a web site")]
    Address(String),
    /// Its host is no domain. The id of a relying party is one (WebAuthn section 5.1.2), and no browser takes anything else.
    #[error("passkeys need a domain name, and the host of `{0}` is an IP address")]
    IpAddress(String),
}

impl Site {
    /// The site at an address such as `https://login.example.com`, which the devices of its users show as `name`; by its domain if
    /// that is empty. Its id is the domain itself, so that neighbours below a common parent keep their passkeys apart.
    ///
    /// # Errors
    /// [`SiteError`].
    pub fn at(public_url: &str, name: &str) -> Result<Self, SiteError> {
        let address = || SiteError::Address(public_url.to_owned());
        let origin = Url::parse(public_url).map_err(|_| address())?;
        if !matches!(origin.scheme(), "http" | "https") {
            return Err(address());
        }
        let id = match origin.host() {
            Some(Host::Domain(domain)) => domain.to_owned(),
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => return Err(SiteError::IpAddress(public_url.to_owned())),
            None => return Err(address()),
        };
        let name = if name.is_empty() { &id } else { name };
        Ok(Self {
            name: name.to_owned(),
            id,
            origin,
        })
    }

    /// Its id: its domain.
    pub fn id(&self) -> &str {
        &self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_its_domain() {
        for (url, id) in [
            ("https://login.example.com", "login.example.com"),
            ("https://login.example.com:8443", "login.example.com"),
            ("http://localhost:3000", "localhost"),
            ("https://bücher.example", "xn--bcher-kva.example"),
        ] {
            let site = Site::at(url, "").unwrap();
            assert_eq!((site.id(), site.name.as_str()), (id, id));
        }
        assert_eq!(Site::at("http://localhost", "Ours").unwrap().name, "Ours");
    }

    #[test]
    fn an_ip_address_is_no_site() {
        for url in [
            "http://127.0.0.1:3000",
            "https://192.0.2.1",
            "https://[2001:db8::1]:443",
        ] {
            assert_eq!(Site::at(url, ""), Err(SiteError::IpAddress(url.to_owned())));
        }
        for url in [
            "",
            "login.example.com",
            "ftp://example.com",
            "data:text/plain,a",
            "https://",
        ] {
            assert_eq!(Site::at(url, ""), Err(SiteError::Address(url.to_owned())));
        }
    }
}
