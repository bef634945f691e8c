//! An e-mail address, parsed once.

use std::fmt;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;

use super::text;

/// Longest address we take, in octets (RFC 5321 section 4.5.3.1.3: a path of 256 with its angle brackets).
const MAX_OCTETS: usize = 254;
/// Longest part before the `@`, in octets (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL_OCTETS: usize = 64;

/// A syntactically valid address with the form it is compared in. Copies share the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    address: Arc<str>,
    key: Arc<str>,
}

impl Email {
    /// Parses an address. With `case_sensitive` off (the default) it is stored and compared in lower case, as LoopBack does with
    /// `caseSensitiveEmail: false`; with it on the part before the `@` keeps its case. The domain is always compared in
    /// lower-case A-label form (RFC 5891), so both spellings of an internationalised domain are one.
    ///
    /// `None` for anything that is not one plain address: no quoted parts, comments, address literals, spaces, controls.
    pub fn parse(text: &str, case_sensitive: bool) -> Option<Self> {
        if text.len() > MAX_OCTETS || text::has_deceptive_character(text) {
            return None;
        }
        let (local, domain) = text.split_once('@')?;
        if domain.contains('@') {
            return None;
        }
        let ascii_domain = ascii_domain(domain)?;
        let local: String = local.nfc().collect();
        let (shown, key, domain) = if case_sensitive {
            (local.clone(), local, domain.to_owned())
        } else {
            (
                lower(&local),
                text::fold(&local),
                lower_domain(domain, &ascii_domain),
            )
        };
        // Judged as it is stored: composing and lower-casing turn some characters into others, or into more.
        let address = format!("{shown}@{domain}");
        let fits = is_local_part(&shown) && address.len() <= MAX_OCTETS;
        fits.then(|| Self {
            address: address.into(),
            key: format!("{key}@{ascii_domain}").into(),
        })
    }

    /// The address as it is stored, shown and mailed to.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// The form two addresses are compared in; unique within a pool (and a realm, where the pool has realms).
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Rebuilds an address from a store, which keeps both forms.
    pub fn restore(address: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            address: address.into().into(),
            key: key.into().into(),
        }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

/// A dot-atom (RFC 5321 section 4.1.2), with the non-ASCII letters of RFC 6531.
fn is_local_part(local: &str) -> bool {
    !local.is_empty()
        && local.len() <= MAX_LOCAL_OCTETS
        && local
            .split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
}

fn is_atom_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && !c.is_whitespace())
}

/// Letter by letter, so that no letter depends on its neighbours.
fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// The domain in lower case where that names the same domain, else in A-labels: a mail must never go to another domain than the
/// one the key names.
fn lower_domain(domain: &str, ascii: &str) -> String {
    let lower = lower(domain);
    if ascii_domain(&lower).as_deref() == Some(ascii) {
        lower
    } else {
        ascii.to_owned()
    }
}

/// The domain in lower-case A-labels; a single label (`a@tld`) is fine, as in LoopBack.
fn ascii_domain(domain: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_strict(domain).ok()?;
    let labels_fit = ascii.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    (labels_fit && ascii.len() <= 253).then_some(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        Email::parse(text, false).map(|email| email.key().to_owned())
    }

    #[test]
    fn spellings_of_one_mailbox_share_a_key() {
        assert_eq!(key("Ann@Example.COM"), key("ann@example.com"));
        assert_eq!(key("ann@bücher.example"), key("ann@xn--bcher-kva.example"));
    }

    #[test]
    fn a_lower_case_address_is_still_the_same_mailbox() {
        for text in ["ΟΔΥΣΣΕΥΣ@example.com", "a@ΟΔΥΣΣΕΥΣ.example", "İ@example.com"] {
            let email = Email::parse(text, false).unwrap();
            assert_eq!(key(email.as_str()).as_deref(), Some(email.key()), "{text}");
        }
    }

    #[test]
    fn plain_addresses_are_taken() {
        for good in [
            "a@tld",
            "first.last+tag@sub.example.org",
            "o'neil@example.ie",
            "用户@例子.广告",
        ] {
            assert!(key(good).is_some(), "{good}");
        }
    }

    #[test]
    fn what_is_not_one_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(300));
        let bad = [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c.d",
            " a@b.c",
            "a@b.c ",
            "a@b.c.",
            "a@.b",
            "a..b@c.d",
            ".a@c.d",
            "a.@c.d",
            "a@b.c\r\nBcc: x@y.z",
            "a@b.c\0",
            "a@[127.0.0.1]",
            "\"a\"@b.c",
            "a@b_c.d",
            "a@-b.c",
            "a@b.c,d@e.f",
            &long,
        ];
        for text in bad {
            assert_eq!(key(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_becomes_no_address_when_it_is_stored_is_refused() {
        // The Greek question mark composes to a semicolon; this capital is a byte longer in lower case.
        let grows = format!("{}@example.com", "Ⱥ".repeat(32));
        for text in ["a\u{37e}b@example.com", &grows] {
            assert_eq!(key(text), None, "{text}");
        }
    }

    #[test]
    fn a_case_sensitive_pool_keeps_two_spellings_apart() {
        let upper = Email::parse("Ann@Example.com", true).unwrap();
        let lower = Email::parse("ann@Example.com", true).unwrap();
        assert_ne!(upper.key(), lower.key());
        assert_eq!(upper.as_str(), "Ann@Example.com");
    }
}
