//! `[mail]`: how links reach a mailbox.

use super::read::Reader;
use super::secret::Secret;
use super::url_of;

/// Settings of the mailer.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `console:`. The scheme chooses the adapter; a URL may hold a password.
    pub url: Secret,
    /// The sender's address.
    pub from: String,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let default = "noreply@localhost";
        Self {
            url: url_of(reader, "console:"),
            from: reader.parsed("from", default, default.to_owned(), sender),
        }
    }
}

fn sender(text: &str) -> Result<String, String> {
    match text.split_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("must be a mail address, but is `{text}`")),
    }
}
