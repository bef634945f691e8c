//! Passwords: what may be one, and the hash that is kept of it.

use std::fmt;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;

use crate::secret::Secret;

/// The passwords guessed first, one a line, in the folded form they are compared in.
const COMMON: &str = include_str!("common_passwords.txt");

/// A password as typed, in NFC (NIST SP 800-63B section 3.1.1.2: one way of composing characters, so that every keyboard types
/// the same one). Never trimmed, never truncated.
#[derive(Clone, Debug)]
pub struct Password(Secret);

impl Password {
    /// Takes what was typed.
    pub fn typed(text: &str) -> Self {
        Self(Secret::new(text.nfc().collect::<String>()))
    }

    /// The text, for the hasher alone.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Length in characters, the unit the rules count in.
    pub fn characters(&self) -> usize {
        self.0.expose().chars().count()
    }
}

/// How long a password must and may be. There is no rule about which characters (NIST SP 800-63B section 3.1.1.2, ASVS 6.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordRules {
    /// Fewest characters; 8 unless a pool asks for more (ASVS 6.2.1).
    pub min: usize,
    /// Most characters; at least 128 (ASVS 6.2.9 asks for 64). A bound only so that hashing a megabyte is no attack.
    pub max: usize,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { min: 8, max: 256 }
    }
}

/// Why a password cannot be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordFault {
    /// Nothing, or only blanks.
    Blank,
    /// Fewer characters than the rule's `min`.
    TooShort,
    /// More characters than the rule's `max`.
    TooLong,
    /// Among the passwords every guesser tries first (ASVS 6.2.4).
    Common,
    /// Known from a breach (ASVS 6.2.12).
    Breached,
    /// Made of names that a guesser of this account tries first (ASVS 6.2.11): [`super::ContextWords`].
    Context,
}

impl PasswordRules {
    /// Judges a password someone wants to choose.
    pub fn judge(&self, password: &Password) -> Result<(), PasswordFault> {
        let length = password.characters();
        if password.expose().trim().is_empty() {
            Err(PasswordFault::Blank)
        } else if length < self.min {
            Err(PasswordFault::TooShort)
        } else if length > self.max {
            Err(PasswordFault::TooLong)
        } else if is_common(password.expose()) {
            Err(PasswordFault::Common)
        } else {
            Ok(())
        }
    }
}

/// Whether a password is in the list, or is one character over and over.
fn is_common(text: &str) -> bool {
    let folded = text.to_lowercase();
    let mut characters = folded.chars();
    let first = characters.next();
    characters.all(|c| Some(c) == first) || COMMON.lines().any(|common| common == folded)
}

/// A password hash in its printable form: a PHC string (`$argon2id$…`) or bcrypt (`$2a$…`). Which kinds are understood is the
/// hasher's business. Copies share the text.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Arc<str>);

impl PasswordHash {
    /// From a store or a hasher.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// The printable form, for stores and hashers.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(text: &str) -> Result<(), PasswordFault> {
        PasswordRules::default().judge(&Password::typed(text))
    }

    #[test]
    fn long_spaced_and_foreign_passwords_are_taken() {
        for good in [
            "correct horse battery staple",
            "пароль длинный",
            "四季折々の花が咲く",
            &"ab".repeat(128),
        ] {
            assert_eq!(judge(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn short_blank_and_first_guesses_are_refused() {
        assert_eq!(judge("seven77"), Err(PasswordFault::TooShort));
        assert_eq!(judge("        "), Err(PasswordFault::Blank));
        assert_eq!(judge(""), Err(PasswordFault::Blank));
        for common in ["password", "12345678", "qwerty123", "PASSWORD1", "zzzzzzzzzzzz"] {
            assert_eq!(judge(common), Err(PasswordFault::Common), "{common}");
        }
        assert_eq!(judge(&"ab".repeat(129)), Err(PasswordFault::TooLong));
    }

    #[test]
    fn composed_and_decomposed_typing_is_one_password() {
        assert_eq!(
            Password::typed("caf\u{e9} noir").expose(),
            Password::typed("cafe\u{301} noir").expose()
        );
    }

    #[test]
    fn neither_password_nor_hash_shows_in_debug() {
        assert!(!format!("{:?}", Password::typed("hunter2hunter2")).contains("hunter2"));
        assert!(!format!("{:?}", PasswordHash::new("$2a$10$abc")).contains("2a"));
    }
}
