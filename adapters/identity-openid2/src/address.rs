//! Which addresses are asked, and what an identifier is in its normal form.

use domain::ports::{ProviderError, ProviderFault};
use outbound_http::{check_address, is_loopback};
use url::{Host, Url};

use crate::error::refused;

/// Longest identifier taken, in bytes: the longest subject the core keeps.
const LONGEST: usize = 1024;

/// Reads an identifier (section 7.2): an http or https address without a user. The parser brings it into its normal form.
pub fn identifier(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST)?;
    let web = matches!(url.scheme(), "https" | "http") && url.host().is_some();
    let bare = url.username().is_empty() && url.password().is_none();
    (web && bare && url.as_str().len() <= LONGEST).then_some(url)
}

/// The address an identifier is looked up at: fragments tell its successive owners apart, and stay here (section 11.5.1).
pub fn without_fragment(url: &Url) -> Url {
    let mut plain = url.clone();
    plain.set_fragment(None);
    plain
}

/// Where what others send us may lead: redirections, locations in documents, claimed identifiers.
///
/// The configured identifier is the operator's word. Everything else is somebody else's, and must not make us ask what only we can
/// reach: it has to be https to a name, or be at the very host that is configured. This machine itself is in reach only of an
/// entry whose own identifier is on it.
#[derive(Clone, Debug)]
pub struct Reach {
    home: Option<Host>,
    on_this_machine: bool,
}

impl Reach {
    /// What an entry with this identifier reaches.
    pub fn of(identifier: &Url) -> Self {
        Self {
            home: identifier.host().map(|host| host.to_owned()),
            on_this_machine: is_loopback(identifier),
        }
    }

    /// Judges an address without asking anybody, neither there nor for its name.
    pub fn admits(&self, url: &Url) -> bool {
        if check_address(without_fragment(url).as_str()).is_err() {
            return false;
        }
        if is_loopback(url) {
            return self.on_this_machine;
        }
        let host = url.host().map(|host| host.to_owned());
        host == self.home || matches!(&host, Some(Host::Domain(name)) if is_public(name))
    }

    /// The same as a refusal.
    pub fn admit(&self, url: &Url, fault: ProviderFault) -> Result<(), ProviderError> {
        if self.admits(url) {
            return Ok(());
        }
        Err(refused(
            fault,
            "it leads to an address that strangers may not send us to",
        ))
    }
}

/// Whether a name is one that anybody can look up, as far as the name itself tells.
fn is_public(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let private = ["localhost", "local", "internal", "home.arpa", "localdomain"];
    let within = |zone: &&str| name == **zone || name.ends_with(&format!(".{zone}"));
    name.contains('.') && !private.iter().any(within)
}

/// Whether a host is on a list whose entries may begin with `*.`.
pub fn is_listed(host: &str, list: &[String]) -> bool {
    let host = host.to_ascii_lowercase();
    list.iter().map(|entry| entry.to_ascii_lowercase()).any(|entry| {
        let below = entry.strip_prefix('*');
        below.map_or(host == entry, |zone| {
            zone.starts_with('.') && host.ends_with(zone)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn an_identifier_has_one_form() {
        for (given, normal) in [
            ("https://Example.COM", "https://example.com/"),
            ("HTTPS://example.com:443/a/../b", "https://example.com/b"),
            ("https://example.com/a#2", "https://example.com/a#2"),
            ("http://example.com/a?b=c", "http://example.com/a?b=c"),
        ] {
            assert_eq!(identifier(given).unwrap().as_str(), normal);
        }
        let long = format!("https://example.com/{}", "a".repeat(LONGEST));
        for bad in [
            "",
            "=ann",
            "xri://=ann",
            "example.com",
            "https://ann@example.com/",
            "ftp://example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
            "https:///",
            long.as_str(),
        ] {
            assert_eq!(identifier(bad), None, "{bad}");
        }
    }

    #[test]
    fn strangers_lead_us_to_public_names_over_https_alone() {
        let reach = Reach::of(&url("https://id.example.com/"));
        for good in [
            "https://id.example.com/x",
            "https://ann.example.org/",
            "https://ann.example.org:8443/",
        ] {
            assert!(reach.admits(&url(good)), "{good}");
        }
        for bad in [
            "http://id.example.com/",
            "https://127.0.0.1/",
            "http://127.0.0.1:6379/",
            "http://localhost/",
            "https://localhost/",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://169.254.169.254/latest/",
            "https://1.1.1.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://db/",
            "https://db.internal/",
            "https://printer.local./",
            "https://a.localhost/",
            "https://ann@example.org/",
        ] {
            assert!(!reach.admits(&url(bad)), "{bad}");
        }
    }

    #[test]
    fn an_operator_may_name_a_machine_of_the_own_network_and_nothing_more_is_in_reach() {
        let inside = Reach::of(&url("https://10.0.0.5/openid"));
        assert!(inside.admits(&url("https://10.0.0.5/id/ann")));
        assert!(!inside.admits(&url("https://10.0.0.6/id/ann")));
        assert!(!inside.admits(&url("https://127.0.0.1/")));
        let here = Reach::of(&url("http://127.0.0.1:19040/"));
        assert!(here.admits(&url("http://127.0.0.1:19041/id/ann")));
        assert!(!here.admits(&url("https://10.0.0.5/")));
    }

    #[test]
    fn a_listed_host_is_meant_letter_by_letter_or_by_its_zone() {
        let list = ["id.example.com".to_owned(), "*.people.example".to_owned()];
        for good in [
            "id.example.com",
            "ID.example.com",
            "ann.people.example",
            "a.b.people.example",
        ] {
            assert!(is_listed(good, &list), "{good}");
        }
        for bad in [
            "example.com",
            "xid.example.com",
            "people.example",
            "evilpeople.example",
            "",
        ] {
            assert!(!is_listed(bad, &list), "{bad}");
        }
        assert!(!is_listed("anything", &["*".to_owned()]));
    }
}
