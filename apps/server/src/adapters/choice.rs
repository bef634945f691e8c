//! How a configured word becomes an adapter.

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
pub struct Known {
    /// How the configuration names it: a URL scheme or a word.
    pub word: &'static str,
    /// Its feature, which is its crate's name.
    pub feature: &'static str,
    /// Whether this binary holds it.
    pub compiled: bool,
}

/// All adapters of one kind.
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
    /// What follows the scheme, without its slashes; a path for files.
    #[cfg_attr(
        all(not(feature = "storage-sqlite"), not(test)),
        expect(dead_code, reason = "no other adapter has anything behind its scheme")
    )]
    pub rest: String,
}

impl Kind {
    /// Chooses by the scheme of a URL, or by a plain word.
    ///
    /// # Errors
    /// [`AdapterError`] names what there is.
    pub fn choose(&self, text: &str) -> Result<Chosen, AdapterError> {
        let (word, rest) = text.split_once(':').unwrap_or((text, ""));
        let have = || {
            let compiled = self.known.iter().filter(|known| known.compiled);
            compiled
                .map(|known| format!("`{}` ({})", known.word, known.feature))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self.known.iter().find(|known| known.word == word) {
            None => Err(AdapterError::Unknown {
                key: self.key,
                word: word.to_owned(),
                have: have(),
            }),
            Some(known) if !known.compiled => Err(AdapterError::NotCompiledIn {
                key: self.key,
                word: word.to_owned(),
                feature: known.feature,
                have: have(),
            }),
            Some(known) => {
                let rest = rest.strip_prefix("//").unwrap_or(rest).to_owned();
                Ok(Chosen {
                    key: self.key,
                    feature: known.feature,
                    rest,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind {
        key: "storage.url",
        known: &[
            Known {
                word: "sqlite",
                feature: "storage-sqlite",
                compiled: true,
            },
            Known {
                word: "postgres",
                feature: "storage-postgres",
                compiled: false,
            },
        ],
    };

    #[test]
    fn a_scheme_chooses_and_the_rest_goes_along() {
        let chosen = KIND.choose("sqlite://./data/a.db").unwrap();
        assert_eq!(
            (chosen.feature, chosen.rest.as_str()),
            ("storage-sqlite", "./data/a.db")
        );
    }

    #[test]
    fn an_adapter_that_is_not_compiled_in_is_named_by_its_feature() {
        let error = KIND.choose("postgres://db/x").unwrap_err().to_string();
        assert!(
            error.contains("--features storage-postgres") && !error.contains("db/x"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_word_hears_what_there_is() {
        let error = KIND.choose("oracle://x").unwrap_err().to_string();
        assert!(
            error.contains("`oracle`") && error.contains("`sqlite`"),
            "{error}"
        );
    }
}
