//! What the message says.

/// The text in a language, in English where there is none of it. Short enough to be one part in either alphabet.
pub fn text(language: &str, code: &str) -> String {
    let before = match language {
        "de" => "Ihr Bestätigungscode lautet",
        "es" => "Su código de verificación es",
        "zh" => "您的验证码是",
        _ => "Your verification code is",
    };
    format!("{before} {code}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gsm;

    #[test]
    fn every_language_says_the_code_once_and_in_one_part() {
        for language in ["en", "de", "es", "zh", "tlh", ""] {
            let text = text(language, "012345");
            assert_eq!(text.matches("012345").count(), 1);
            let longest = if gsm::carries(&text) { 160 } else { 70 };
            assert!(text.encode_utf16().count() <= longest, "{text}");
        }
        assert_eq!(text("en", "123456"), "Your verification code is 123456");
        assert_eq!(text("fr", "1"), text("en", "1"));
    }

    #[test]
    fn unicode_is_needed_in_two_of_four() {
        let needed: Vec<&str> = ["en", "de", "es", "zh"]
            .into_iter()
            .filter(|language| !gsm::carries(&text(language, "1")))
            .collect();
        assert_eq!(needed, ["es", "zh"]);
    }
}
