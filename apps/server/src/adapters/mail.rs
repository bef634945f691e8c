//! Mail.

use std::sync::Arc;

use domain::ports::Mailer;

use super::choice::{AdapterError, Chosen, Kind, Known};

/// What can send mail.
pub const KIND: Kind = Kind {
    key: "mail.url",
    known: &[Known {
        words: &["console"],
        feature: "mail-console",
        compiled: cfg!(feature = "mail-console"),
    }],
};

/// Opens the chosen mailer.
pub fn open(chosen: &Chosen, from: &str) -> Result<Arc<dyn Mailer>, AdapterError> {
    match chosen.feature {
        #[cfg(feature = "mail-console")]
        "mail-console" => Ok(Arc::new(mail_console::ConsoleMailer::new(from))),
        other => Err(AdapterError::Failed(format!(
            "{other} cannot be opened for {from}"
        ))),
    }
}
