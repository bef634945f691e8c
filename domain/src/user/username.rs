//! A username: a name to log in with that is not an address.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use super::text;

const MAX_CHARACTERS: usize = 128;

/// A valid username with the form it is compared in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    name: String,
    key: String,
}

impl Username {
    /// Parses a username: 1 to 128 visible characters, no blank at either end. Compared after NFKC and lower-casing, so
    /// look-alikes by case, width or composition are one name.
    pub fn parse(text: &str) -> Option<Self> {
        let name: String = text.nfc().collect();
        let length = name.chars().count();
        let fits = (1..=MAX_CHARACTERS).contains(&length) && name.trim() == name;
        if !fits || text::has_deceptive_character(&name) {
            return None;
        }
        let key = text::fold(&name);
        (!key.is_empty()).then_some(Self { name, key })
    }

    /// The name as it was chosen (in NFC).
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The form two names are compared in.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Rebuilds a name from a store, which keeps both forms.
    pub fn restore(name: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            key: key.into(),
        }
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_width_and_composition_do_not_make_a_second_name() {
        let key = |text: &str| Username::parse(text).map(|name| name.key().to_owned());
        assert_eq!(key("Ann"), key("ＡＮＮ"));
        assert_eq!(key("Ame\u{301}lie"), key("amélie"));
    }

    #[test]
    fn blank_edges_controls_and_excess_are_refused() {
        for bad in ["", " ann", "ann ", "a\u{200B}nn", "a\nb", &"x".repeat(129)] {
            assert_eq!(Username::parse(bad), None, "{bad:?}");
        }
    }
}
