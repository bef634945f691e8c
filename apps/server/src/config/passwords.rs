//! `[passwords]`: which passwords nobody may choose, besides those that are too short.

use std::path::PathBuf;

use url::Url;

use super::address::is_local_url;
use super::read::Reader;

/// Longest word.
const WORD: usize = 128;

/// Settings of what is compared with a new password.
#[derive(Clone, Debug, Default)]
pub struct Passwords {
    /// A list of breached passwords or of their hashes.
    pub breached_file: Option<PathBuf>,
    /// Where ranges of hashes of breached passwords are asked for.
    pub breached_url: Option<String>,
    /// Words that no password may be made of.
    pub context_words: Vec<String>,
}

impl Passwords {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            breached_file: reader.maybe_path("breached_file"),
            breached_url: reader.maybe_parsed("breached_url", "none", ranges),
            context_words: reader.list("context_words", word),
        }
    }
}

/// Never plain http to another machine: whoever changes the answers on the way decides which passwords are taken.
fn ranges(text: &str) -> Result<String, String> {
    let plain = |url: &Url| {
        url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    let url = Url::parse(text).ok().filter(plain);
    match url {
        Some(url) if url.scheme() == "https" || is_local_url(&url) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(
            "must be an https address, or http on this machine, such as `https://api.pwnedpasswords.com/range`".to_owned(),
        ),
    }
}

fn word(text: &str) -> Result<String, String> {
    let counts = text.chars().filter(|c| c.is_alphanumeric()).count();
    if (3..=WORD).contains(&counts) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "must hold words of at least 3 letters or digits, but has `{text}`"
    ))
}
