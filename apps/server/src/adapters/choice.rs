//! How a configured word becomes an adapter.

use crate::config::Secret;

/// Why an adapter cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    /// Nobody knows the word.
    #[error("`{key}` is `{word}`, which no adapter answers to; this binary has {have}")]
    Unknown {
        /// The configuration key.
        key: &'static str,
        /// What it says.
        word: String,
        /// What it could say.
        have: String,
    },
    /// The product has it, this binary does not.
    #[error(
        "`{key}` names `{word}`, but this binary was built without it: build it with `--features {feature}`; it has {have}"
    )]
    NotCompiledIn {
        /// The configuration key.
        key: &'static str,
        /// What it says.
        word: String,
        /// The feature that compiles it in.
        feature: &'static str,
        /// What it could say.
        have: String,
    },
    /// What follows the word cannot be used.
    #[error("`{key}`: {why}")]
    Unusable {
        /// The configuration key.
        key: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The adapter could not be opened.
    #[error("{0}")]
    Failed(String),
}

/// One adapter the product has.
#[derive(Debug)]
pub struct Known {
    /// How the configuration names it: URL schemes or plain words, the usual one first.
    pub words: &'static [&'static str],
    /// Its feature, which is its crate's name.
    pub feature: &'static str,
    /// Whether this binary holds it.
    pub compiled: bool,
}

/// All adapters of one kind.
#[derive(Debug)]
pub struct Kind {
    /// The configuration key that chooses.
    pub key: &'static str,
    /// The adapters.
    pub known: &'static [Known],
}

/// What was chosen.
#[derive(Debug)]
pub struct Chosen {
    /// The configuration key that chose.
    pub key: &'static str,
    /// The feature.
    pub feature: &'static str,
    /// All that the configuration says there: a URL as it was written, or a word.
    pub text: Secret,
}

impl Chosen {
    /// What follows the scheme, without its slashes; a path for files.
    #[cfg_attr(
        all(not(feature = "storage-sqlite"), not(test)),
        expect(dead_code, reason = "the other adapters read the whole URL")
    )]
    pub fn rest(&self) -> &str {
        let rest = self.text.expose().split_once(':').map_or("", |(_, rest)| rest);
        rest.strip_prefix("//").unwrap_or(rest)
    }
}

impl Kind {
    /// Chooses by the scheme of a URL, or by a plain word.
    ///
    /// # Errors
    /// [`AdapterError`] names what there is, and quotes nothing behind the scheme: it may be a password.
    pub fn choose(&self, text: &Secret) -> Result<Chosen, AdapterError> {
        let (word, _) = text.expose().split_once(':').unwrap_or((text.expose(), ""));
        let have = || {
            let compiled = self.known.iter().filter(|known| known.compiled);
            compiled
                .map(|known| format!("`{}` ({})", known.words.join("`, `"), known.feature))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self.known.iter().find(|known| known.words.contains(&word)) {
            None => Err(AdapterError::Unknown {
                key: self.key,
                word: if is_word(word) { word } else { "…" }.to_owned(),
                have: have(),
            }),
            Some(known) if !known.compiled => Err(AdapterError::NotCompiledIn {
                key: self.key,
                word: word.to_owned(),
                feature: known.feature,
                have: have(),
            }),
            Some(known) => Ok(Chosen {
                key: self.key,
                feature: known.feature,
                text: text.clone(),
            }),
        }
    }
}

/// Whether a text may be quoted: something else may have been pasted where a word belongs, a password perhaps.
fn is_word(text: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || matches!(letter, '+' | '-');
    text.len() <= 20 && text.chars().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind {
        key: "storage.url",
        known: &[
            Known {
                words: &["sqlite"],
                feature: "storage-sqlite",
                compiled: true,
            },
            Known {
                words: &["postgres", "postgresql"],
                feature: "storage-postgres",
                compiled: false,
            },
            Known {
                words: &["mongodb", "mongodb+srv"],
                feature: "storage-mongo",
                compiled: true,
            },
        ],
    };

    fn choose(text: &str) -> Result<Chosen, AdapterError> {
        KIND.choose(&Secret::new(text))
    }

    #[test]
    fn a_scheme_chooses_and_the_rest_goes_along() {
        let chosen = choose("sqlite://./data/a.db").unwrap();
        assert_eq!((chosen.feature, chosen.rest()), ("storage-sqlite", "./data/a.db"));
        assert_eq!(chosen.text.expose(), "sqlite://./data/a.db");
    }

    #[test]
    fn every_scheme_of_an_adapter_chooses_it() {
        for url in ["mongodb://db/x", "mongodb+srv://db/x"] {
            assert_eq!(choose(url).unwrap().feature, "storage-mongo");
        }
    }

    #[test]
    fn an_adapter_that_is_not_compiled_in_is_named_by_its_feature() {
        for url in ["postgres://me:hunter2@db/x", "postgresql://me:hunter2@db/x"] {
            let error = choose(url).unwrap_err().to_string();
            assert!(
                error.contains("--features storage-postgres") && !error.contains("hunter2"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_no_word_is_not_quoted() {
        let pasted = Secret::new("hunter2-and-More");
        let error = KIND.choose(&pasted).unwrap_err().to_string();
        assert!(
            !error.contains("hunter2") && error.contains("`sqlite`"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_word_hears_what_there_is() {
        let error = choose("oracle://me:hunter2@x").unwrap_err().to_string();
        assert!(
            error.contains("`oracle`") && error.contains("`mongodb`, `mongodb+srv` (storage-mongo)"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_was_chosen_does_not_show_its_password() {
        let chosen = choose("mongodb://me:hunter2@db/x").unwrap();
        assert!(!format!("{chosen:?}").contains("hunter2"));
    }
}
