//! A name and a password that a directory is to judge: what may be shown to it at all.

use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

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
    /// The name by which tries are counted: however it is spelt, as directories compare (RFC 4518 section 2: case, width, runs of blanks
    /// and what shows as nothing make no other name; to Active Directory neither do accents), it is one counter. Two people may share
    /// one; nobody has a second one for a name.
    pub fn counted_name(&self) -> String {
        let words = self.name.split_whitespace().map(heard);
        let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
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

/// A word as the least exact of all directories compares it: by its letters alone.
fn heard(word: &str) -> String {
    let folded = folded_name(word);
    let bare = folded.nfkd().filter(|letter| !is_unheard(*letter));
    bare.fold(String::new(), |mut heard, letter| {
        match letter {
            'ß' => heard.push_str("ss"),
            'æ' => heard.push_str("ae"),
            'œ' => heard.push_str("oe"),
            'þ' => heard.push_str("th"),
            'ø' => heard.push('o'),
            'ł' => heard.push('l'),
            'đ' | 'ð' => heard.push('d'),
            'ı' => heard.push('i'),
            // Katakana as hiragana, which stand in the same order.
            '\u{30a1}'..='\u{30f6}' => heard.extend(char::from_u32(u32::from(letter) - 0x60)),
            other => heard.push(other),
        }
        heard
    })
}

/// Accents, and what shows as nothing.
fn is_unheard(letter: char) -> bool {
    matches!(
        letter.general_category(),
        GeneralCategory::NonspacingMark
            | GeneralCategory::EnclosingMark
            | GeneralCategory::Format
            | GeneralCategory::Control
    )
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
            "álice smith",
            "a\u{301}lìçê smiťh",
            "al\u{ad}ice sm\u{200b}ith",
            "\u{feff}alice smith\u{2060}",
        ] {
            assert_eq!(typed(spelt, "x").counted_name(), plain, "{spelt:?}");
        }
        assert_ne!(typed("alice.smith", "x").counted_name(), plain);
        for (one, other) in [
            ("straße", "STRASSE"),
            ("Æsop", "aesop"),
            ("カナ", "かな"),
            ("ΟΔΟΣ", "οδος"),
        ] {
            assert_eq!(
                typed(one, "x").counted_name(),
                typed(other, "x").counted_name(),
                "{one}"
            );
        }
        assert_ne!(typed("が", "x").counted_name(), typed("き", "x").counted_name());
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
