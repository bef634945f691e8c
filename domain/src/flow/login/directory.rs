//! A name and a password that a directory is to judge: what may be shown to it at all.

use crate::secret::Secret;
use crate::user::folded_name;

/// Longest name that is shown to a directory, in bytes.
pub const LONGEST_NAME: usize = 256;

/// Longest password that is shown to a directory, in bytes.
pub const LONGEST_PASSWORD: usize = 1024;

/// A name and a password as they were typed.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The name.
    pub name: String,
    /// The password.
    pub password: Secret,
}

impl Typed {
    /// The name by which tries are counted: however it is spelt, as directories compare (RFC 4518 section 2: case, width and runs of
    /// blanks make no other name), it is one counter.
    pub fn counted_name(&self) -> String {
        let words: Vec<String> = self.name.split_whitespace().map(folded_name).collect();
        words.join(" ")
    }

    /// The same as it may be shown to a directory; none where no directory may see it: to many an empty password is no password at
    /// all, and whoever sends none is let in as nobody in particular (RFC 4513 section 5.1.2). Some stop reading at a NUL.
    pub(crate) fn presentable(self) -> Option<Self> {
        let name = self.name.trim();
        let password = self.password.expose();
        let good_name = !name.is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(char::is_control);
        let good_password =
            !password.trim().is_empty() && password.len() <= LONGEST_PASSWORD && !password.contains('\0');
        (good_name && good_password).then(|| Self {
            name: name.to_owned(),
            password: self.password,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(name: &str, password: &str) -> Typed {
        Typed {
            name: name.to_owned(),
            password: Secret::new(password),
        }
    }

    #[test]
    fn spellings_of_one_name_are_one_counter() {
        let plain = typed("alice smith", "x").counted_name();
        for spelt in [
            "Alice Smith",
            " ALICE  smith ",
            "ａｌｉｃｅ smith",
            "alice\u{a0}smith",
        ] {
            assert_eq!(typed(spelt, "x").counted_name(), plain, "{spelt:?}");
        }
        assert_ne!(typed("alice.smith", "x").counted_name(), plain);
    }

    #[test]
    fn what_means_nobody_to_a_directory_is_never_shown_to_it() {
        for password in [
            "",
            " ",
            "\t\u{a0}",
            "\0",
            "\0secret",
            "secret\0",
            &"x".repeat(LONGEST_PASSWORD + 1),
        ] {
            assert!(typed("alice", password).presentable().is_none(), "{password:?}");
        }
        for name in ["", "  ", "a\0b", "a\nb", &"x".repeat(LONGEST_NAME + 1)] {
            assert!(typed(name, "secret").presentable().is_none(), "{name:?}");
        }
        let shown = typed(" alice ", " secret ").presentable().unwrap();
        assert_eq!(
            (shown.name.as_str(), shown.password.expose()),
            ("alice", " secret ")
        );
    }
}
