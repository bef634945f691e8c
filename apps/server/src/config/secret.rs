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

    /// The text read as a URL, without user, password, query and fragment: fit to be shown.
    pub fn without_credentials(&self) -> String {
        let bare = self.0.split(['?', '#']).next().unwrap_or_default();
        match bare.split_once("://") {
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
        assert_eq!(shown("just-a-password"), "");
    }
}
