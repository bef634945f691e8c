//! `[mail]`: how links reach a mailbox.

use std::path::PathBuf;

use super::read::Reader;
use super::secret::Secret;
use super::url_of;

/// Settings of the mailer.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `console:`, `smtp://…` or `smtps://…`. The scheme chooses the adapter; a URL may hold a password.
    pub url: Secret,
    /// The sender's address, perhaps with a name (`Name <address>`).
    pub from: String,
    /// Authorities to trust instead of the system's, PEM, for the mail server's certificate.
    pub ca_file: Option<PathBuf>,
    /// Templates in place of the built-in ones.
    pub templates_dir: Option<PathBuf>,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let default = "noreply@localhost";
        Self {
            url: url_of(reader, "console:"),
            from: reader.parsed("from", default, default.to_owned(), sender),
            ca_file: reader.maybe_path("ca_file"),
            templates_dir: reader.maybe_path("templates_dir"),
        }
    }
}

/// Roughly a sender; the adapter that sends judges it in full.
fn sender(text: &str) -> Result<String, String> {
    let address = text.rsplit_once('<').map_or(text, |(_, address)| address);
    match address.trim_end_matches('>').split_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() && !text.contains(['\r', '\n']) => {
            Ok(text.to_owned())
        }
        _ => Err(format!("must be a mail address, but is `{text}`")),
    }
}
