//! `[sessions]`: where live sessions are looked up.

use std::path::PathBuf;

use super::read::Reader;
use super::secret::Secret;
use super::url_of;

/// What every key in Redis begins with.
const PREFIX: &str = "portcullis:";
/// Longest prefix, in bytes: it stands in front of every key.
const MAX_PREFIX: usize = 64;

/// Settings of the session store.
#[derive(Clone, Debug)]
pub struct Sessions {
    /// `storage:` (beside the users), `memory:`, or a Redis. The scheme chooses the adapter; a URL may hold a password.
    pub url: Secret,
    /// Authorities to trust instead of the built-in ones, PEM, where Redis is reached over TLS.
    pub ca_file: Option<PathBuf>,
    /// What every key in Redis begins with.
    pub prefix: String,
    /// Whether somebody chose that prefix.
    pub prefix_given: bool,
}

impl Sessions {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            url: url_of(reader, "storage:"),
            ca_file: reader.maybe_path("ca_file"),
            prefix: reader.parsed("prefix", PREFIX, PREFIX.to_owned(), prefix),
            prefix_given: reader.was_given("prefix"),
        }
    }
}

/// Braces would choose the slot of a cluster, and the other characters are patterns.
fn prefix(text: &str) -> Result<String, String> {
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-' | '.');
    if text.len() <= MAX_PREFIX && text.chars().all(fit) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "must hold letters, digits, `:`, `_`, `-` and `.` alone, {MAX_PREFIX} at most, but is `{text}`"
    ))
}
