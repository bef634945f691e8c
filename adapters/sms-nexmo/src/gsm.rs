//! What a text message carries without Unicode: the alphabet of GSM 03.38 (3GPP TS 23.038 section 6.2.1).

/// The basic table, but for the letters A to Z, a to z and the digits. The escape to the extension table is no character.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";

/// The extension table: two septets each.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Whether every character of a text is in the alphabet.
pub fn carries(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || BASIC.contains(c) || EXTENSION.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_is_the_standards() {
        let letters = ('A'..='Z').chain('a'..='z').chain('0'..='9').count();
        assert_eq!(
            letters + BASIC.chars().count(),
            127,
            "128 places, one of which is the escape"
        );
        assert_eq!(EXTENSION.chars().count(), 10);
        let mut all: Vec<char> = BASIC.chars().chain(EXTENSION.chars()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(
            all.len(),
            BASIC.chars().count() + EXTENSION.chars().count(),
            "none twice"
        );
    }

    #[test]
    fn letters_that_look_alike_are_told_apart() {
        for fits in ["Straße für 5 €", "Ñand", "Çà et là", "ΔΦΓ", "a\r\nb", "[x]~"] {
            assert!(carries(fits), "{fits}");
        }
        // ó and ú are not in it, nor are the small ç, the back quote, a tab, or Greek letters that Latin ones stand for.
        for not in [
            "código", "ú", "ç", "`", "\t", "Α", "您的", "naïve", "🙂", "\u{1b}",
        ] {
            assert!(!carries(not), "{not}");
        }
    }
}
