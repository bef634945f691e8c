//! Text that must not be shown.

use std::fmt;

use zeroize::Zeroizing;

/// A password, a key, or a URL that may carry one. `Debug` hides it and dropping it wipes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text read as a URL, without user, password, query and fragment: fit to be shown. Where it is not clear what is
    /// which, the scheme alone.
    pub fn without_credentials(&self) -> String {
        let (bare, tail) = self.0.split_once(['?', '#']).unwrap_or((&self.0, ""));
        match bare.split_once("://") {
            // A password that nobody escaped may hold the `?`: then its first half stands in front of that.
            Some((scheme, _)) if tail.contains('@') => format!("{scheme}://…"),
            // The last `@`: a password may hold one that nobody escaped.
            Some((scheme, rest)) => {
                let shown = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                format!("{scheme}://{shown}")
            }
            None => bare
                .split_once(':')
                .map(|(scheme, _)| format!("{scheme}:"))
                .unwrap_or_default(),
        }
    }

    /// Whether the text read as a URL holds a password or the like.
    pub fn holds_credentials(&self) -> bool {
        let lower = self.0.to_ascii_lowercase();
        let before_host = lower
            .split_once("://")
            .and_then(|(_, rest)| rest.rsplit_once('@'));
        before_host.is_some_and(|(user, _)| user.contains(':'))
            || lower.contains("password=")
            || lower.contains("secret=")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[redacted]");
    }

    #[test]
    fn a_url_is_shown_without_the_parts_that_carry_credentials() {
        let shown = |url: &str| Secret::new(url).without_credentials();
        assert_eq!(
            shown("postgres://me:p@ss@db.example:5432/users?password=x"),
            "postgres://db.example:5432/users"
        );
        assert_eq!(
            shown("sqlite://./data/portcullis.db"),
            "sqlite://./data/portcullis.db"
        );
        assert_eq!(shown("storage:"), "storage:");
        assert_eq!(
            shown("redis-sentinel://:hunter2@h1:1,h2:2/main"),
            "redis-sentinel://h1:1,h2:2/main"
        );
        for unclear in [
            "postgres://me:hun?ter2@db/users",
            "postgres://me:hun@ter#2@db/users",
            "mongodb://db/users?password=hun@ter2",
        ] {
            assert!(
                !shown(unclear).contains("ter") && !shown(unclear).contains("hun"),
                "{unclear}"
            );
        }
        assert_eq!(shown("just-a-password"), "");
    }
}
