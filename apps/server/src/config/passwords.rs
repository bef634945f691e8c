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
    let safe = |url: &Url| url.scheme() == "https" || url.scheme() == "http" && is_local_url(url);
    if Url::parse(text).is_ok_and(|url| plain(&url) && safe(&url)) {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    let example = "https://api.pwnedpasswords.com/range";
    Err(format!(
        "must be an https address, or http on this machine, such as `{example}`"
    ))
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
