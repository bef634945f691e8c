//! The names of Kerberos: `name@REALM`, `name/instance@REALM` (RFC 4120 section 6.2).

/// Somebody, or a service, of a realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// All before the realm. Upper and lower case are different.
    pub name: String,
    /// The realm. Upper and lower case are different.
    pub realm: String,
}

impl Principal {
    /// Reads a name as the library writes it. None where it has no realm or a character that had to be escaped: no account of a
    /// person needs one, and what reads differently to two readers is no name.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, realm) = text.split_once('@')?;
        let plain = |part: &str| {
            let strange = |letter: char| letter.is_control() || matches!(letter, '\\' | '@');
            !part.is_empty() && !part.contains(strange)
        };
        let components = || name.split('/');
        let sound = plain(name) && plain(realm) && components().all(|component| !component.is_empty());
        (sound && components().count() <= 2).then(|| Self {
            name: name.to_owned(),
            realm: realm.to_owned(),
        })
    }

    /// What stands behind the slash.
    pub fn instance(&self) -> Option<&str> {
        self.name.split_once('/').map(|(_, instance)| instance)
    }
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.realm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_realm_and_perhaps_an_instance() {
        let alice = Principal::parse("alice@TEST.LOCALHOST").unwrap();
        assert_eq!(
            (alice.name.as_str(), alice.realm.as_str()),
            ("alice", "TEST.LOCALHOST")
        );
        assert_eq!(alice.instance(), None);
        let root = Principal::parse("root/admin@TEST.LOCALHOST").unwrap();
        assert_eq!(root.instance(), Some("admin"));
        assert_eq!(root.to_string(), "root/admin@TEST.LOCALHOST");
    }

    #[test]
    fn what_two_readers_could_read_differently_is_no_name() {
        for text in [
            "alice",
            "alice@",
            "@TEST",
            "alice@A@B",
            r"alice\@A@B",
            r"alice\/admin@A",
            "ali\nce@A",
            "alice@A\0",
            "/admin@A",
            "root/@A",
            "a/b/c@A",
            "",
        ] {
            assert_eq!(Principal::parse(text), None, "{text:?}");
        }
    }
}
