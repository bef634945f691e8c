//! Words that a guesser of this very account tries first: its names, and the name of the service (NIST SP 800-63B section 3.1.1.2,
//! ASVS 6.1.2 and 6.2.11).

use unicode_normalization::UnicodeNormalization as _;

use super::Password;
use crate::user::{Email, User};

/// Fewest characters of a word that counts: shorter ones are in everything.
const SHORTEST: usize = 3;

/// The words of one user's surroundings, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextWords(Vec<Vec<char>>);

impl ContextWords {
    /// From whole texts: each as one word without its blanks and signs, and each of its parts.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = Vec::new();
        for text in texts {
            let folded = fold(text);
            let parts = folded
                .split(|c: &char| !c.is_alphanumeric())
                .map(<[char]>::to_vec);
            words.extend(parts);
            words.push(folded.iter().copied().filter(|c| c.is_alphanumeric()).collect());
        }
        words.retain(|word| word.len() >= SHORTEST);
        words.sort();
        words.dedup();
        Self(words)
    }

    /// The names of a user (username, and the address but for its top-level domain) beside the words of the service.
    pub fn of_user<'a>(user: &'a User, service: impl IntoIterator<Item = &'a str>) -> Self {
        let username = user.username.as_ref().map(crate::user::Username::as_str);
        let (local, domain) = user
            .email
            .as_ref()
            .map(Email::as_str)
            .and_then(|email| email.split_once('@'))
            .unzip();
        let labels = domain
            .and_then(|domain| domain.rsplit_once('.'))
            .into_iter()
            .flat_map(|(labels, _)| labels.split('.'));
        let names = username.into_iter().chain(local).chain(labels);
        Self::of(names.chain(service))
    }

    /// Whether a password is one of the words, or made for the most part of them: more than half of its letters. Digits and signs
    /// around or between them change nothing, nor do the usual stand-ins for letters (`@nn4`). Of a password without letters the
    /// digits count.
    pub fn make_up(&self, password: &Password) -> bool {
        let plain = fold(password.expose());
        let read: Vec<char> = plain.iter().copied().map(as_letter).collect();
        self.cover(&plain) || self.cover(&read)
    }

    fn cover(&self, text: &[char]) -> bool {
        let mut covered = vec![false; text.len()];
        for word in &self.0 {
            for (at, window) in text.windows(word.len()).enumerate() {
                if window == word.as_slice() {
                    covered
                        .iter_mut()
                        .skip(at)
                        .take(word.len())
                        .for_each(|one| *one = true);
                }
            }
        }
        let has_letters = text.iter().any(|c| c.is_alphabetic());
        let counts = |c: &char| {
            if has_letters {
                c.is_alphabetic()
            } else {
                c.is_alphanumeric()
            }
        };
        let all = text.iter().filter(|c| counts(c)).count();
        let of_words = text
            .iter()
            .zip(&covered)
            .filter(|(c, covered)| **covered && counts(c));
        of_words.count() * 2 > all
    }
}

/// Compared without case and width.
fn fold(text: &str) -> Vec<char> {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

/// The letter that people replace by a digit or sign.
const fn as_letter(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{PoolName, UserId, UserKey};
    use crate::time::Timestamp;
    use crate::user::Username;

    fn ann() -> ContextWords {
        let key = UserKey::new(PoolName::new("Users"), UserId::new("1"));
        let mut user = User::blank(key, Timestamp::from_millis(0));
        user.email = Email::parse("Ann.Lee@mail.Example-Works.co.uk", false);
        user.username = Username::parse("Wanderer7");
        ContextWords::of_user(&user, ["Portcullis", "The Blue Door"])
    }

    fn refused(password: &str) -> bool {
        ann().make_up(&Password::typed(password))
    }

    #[test]
    fn names_of_the_user_and_the_service_are_refused_however_they_are_dressed() {
        for bad in [
            "portcullis",
            "Portcullis2026!",
            "123portcullis123",
            "P0rtcull!s?",
            "portcullisportcullis",
            "ann.lee1990",
            "AnnLee!!",
            "annleeann",
            "wanderer7",
            "Wanderer7wanderer7",
            "example-works1",
            "exampleworks",
            "thebluedoor",
            "The Blue Door 1",
            "bluedoor",
            "ＰＯＲＴＣＵＬＬＩＳ",
            "portcullishorse",
        ] {
            assert!(refused(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_within_something_longer_is_no_harm() {
        for good in [
            "correct horse battery staple",
            "annakarenina again",
            "xk9#q2l!ann",
            "portcullis horse battery staple",
            "co uk co uk co uk",
            "73910284615",
            "пароль длинный",
            "!!!!!!!!",
        ] {
            assert!(!refused(good), "{good}");
        }
    }

    #[test]
    fn a_word_of_digits_counts_where_there_are_only_digits() {
        let words = ContextWords::of(["19901990"]);
        assert!(words.make_up(&Password::typed("19901990")));
        assert!(words.make_up(&Password::typed("19901990-1")));
        assert!(!words.make_up(&Password::typed("19901990 seven elephants")));
    }

    #[test]
    fn without_words_nothing_is_refused() {
        assert!(!ContextWords::default().make_up(&Password::typed("portcullis")));
        assert_eq!(ContextWords::of(["a", "", "..", "ab"]), ContextWords::default());
    }
}
