//! What every name has in common: which characters may stand in it, and when two of them are the same.

use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Whether a text holds a character that shows nothing or changes how its neighbours show: controls, zero-width and
/// bidirectional formatting, tags, private use, unassigned, line breaks. Names with such characters impersonate others
/// (the Spotify takeover of 2013), so they are refused rather than stripped.
pub(super) fn has_deceptive_character(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(
            c.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::Surrogate
                | GeneralCategory::PrivateUse
                | GeneralCategory::Unassigned
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
        ) || is_invisible_letter(c)
    })
}

/// Letters and marks by category that show as nothing: Hangul fillers, the combining grapheme joiner, variation selectors,
/// the braille blank.
fn is_invisible_letter(c: char) -> bool {
    matches!(c, '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// The form two names are compared in: compatibility-normalised (NFKC) before and after lower-casing, so that the folding is
/// stable however often it is applied. The final sigma is a sigma, as in Unicode's own case folding: it only looks different at the
/// end of a word.
pub(crate) fn fold(text: &str) -> String {
    let once: String = lower(text.nfkc()).collect();
    lower(once.nfkc()).nfkc().collect()
}

fn lower(characters: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    characters
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'ς' { 'σ' } else { c })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_forms_fold_to_one() {
        assert_eq!(fold("Ame\u{301}lie"), fold("am\u{e9}lie"));
    }

    #[test]
    fn a_final_sigma_is_a_sigma() {
        assert_eq!(fold("ΟΔΥΣΣΕΥΣ"), fold("οδυσσευς"));
    }

    #[test]
    fn zero_width_bidi_and_tag_characters_are_deceptive() {
        for c in [
            '\u{200B}',
            '\u{202E}',
            '\u{E0041}',
            '\u{0}',
            '\u{7f}',
            '\u{2028}',
            '\u{FEFF}',
            '\u{3164}',
        ] {
            assert!(has_deceptive_character(&format!("ad{c}min")), "{c:?}");
        }
        assert!(!has_deceptive_character("Zoë 李雷 ñandú"));
    }
}
