//! The realm: what the person is asked to trust (section 9.2).

use url::Url;

/// A realm, read.
#[derive(Clone, Debug)]
pub struct Realm {
    /// As it is sent.
    pub text: String,
    /// Without the wildcard.
    base: Url,
    any_below: bool,
}

impl Realm {
    /// Reads a realm. Its host may begin with `*.`, which stands for itself and everything below.
    pub fn parse(text: &str) -> Option<Self> {
        let any_below = text.contains("://*.");
        let base = Url::parse(&text.replacen("://*.", "://", 1)).ok()?;
        let host = base.host_str().filter(|host| !host.contains('*'))?;
        let web = matches!(base.scheme(), "https" | "http");
        let plain = base.fragment().is_none() && base.username().is_empty() && base.password().is_none();
        // A wildcard over a whole top-level domain asks people to trust everybody.
        let narrow = !any_below || host.contains('.');
        (web && plain && narrow).then(|| Self {
            text: text.to_owned(),
            base,
            any_below,
        })
    }

    /// The narrowest that every address of the callback's site is below.
    pub fn around(callback: &Url) -> Option<Self> {
        Self::parse(&format!("{}/", callback.origin().ascii_serialization()))
    }

    /// Whether providers will find that address to be below it.
    pub fn covers(&self, address: &Url) -> bool {
        let (Some(ours), Some(theirs)) = (self.base.host_str(), address.host_str()) else {
            return false;
        };
        let below = theirs.strip_suffix(ours).is_some_and(|rest| rest.ends_with('.'));
        let host = theirs == ours || (self.any_below && below);
        let site = self.base.scheme() == address.scheme()
            && self.base.port_or_known_default() == address.port_or_known_default();
        let rest = address.path().strip_prefix(self.base.path());
        let path = rest
            .is_some_and(|rest| self.base.path().ends_with('/') || rest.is_empty() || rest.starts_with('/'));
        host && site && path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(realm: &str, address: &str) -> bool {
        Realm::parse(realm).unwrap().covers(&Url::parse(address).unwrap())
    }

    #[test]
    fn a_realm_covers_what_is_below_it() {
        for (realm, address) in [
            ("https://example.com/", "https://example.com/auth/openid/callback"),
            ("https://example.com", "https://example.com/a"),
            ("https://*.example.com/", "https://www.example.com/a"),
            ("https://*.example.com/", "https://example.com/a"),
            ("https://example.com/auth", "https://example.com/auth/callback"),
            ("http://localhost:3000/", "http://localhost:3000/a"),
        ] {
            assert!(covers(realm, address), "{realm} {address}");
        }
        for (realm, address) in [
            ("https://example.com/", "http://example.com/a"),
            ("https://example.com/", "https://example.com:8443/a"),
            ("https://example.com/", "https://www.example.com/a"),
            ("https://*.example.com/", "https://evilexample.com/a"),
            ("https://example.com/auth", "https://example.com/author"),
            ("https://example.com/auth/", "https://example.com/"),
        ] {
            assert!(!covers(realm, address), "{realm} {address}");
        }
    }

    #[test]
    fn a_realm_that_is_none_is_not_read() {
        for bad in [
            "",
            "example.com",
            "https://example.com/#a",
            "https://*.com/",
            "https://*/",
            "ftp://example.com/",
            "https://a:b@example.com/",
        ] {
            assert!(Realm::parse(bad).is_none(), "{bad}");
        }
    }
}
