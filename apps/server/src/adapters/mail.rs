//! Mail.

use std::sync::Arc;

use domain::ports::Mailer;

use super::choice::{AdapterError, Chosen, Kind, Known};
use crate::config::Config;

/// What can send mail.
pub const KIND: Kind = Kind {
    key: "mail.url",
    known: &[
        Known {
            words: &["console"],
            feature: "mail-console",
            compiled: cfg!(feature = "mail-console"),
        },
        Known {
            words: &["smtp", "smtps"],
            feature: "mail-smtp",
            compiled: cfg!(feature = "mail-smtp"),
        },
    ],
};

/// The console of a command: its standard output is for what it was asked.
pub const BESIDE: &str = "console:stderr";

/// Opens the chosen mailer, which asks nobody yet.
pub fn open(chosen: &Chosen, config: &Config) -> Result<Arc<dyn Mailer>, AdapterError> {
    match chosen.feature {
        #[cfg(feature = "mail-console")]
        "mail-console" if config.mail.url.expose() == BESIDE => {
            let console = mail_console::ConsoleMailer::writing_to(&config.mail.from, std::io::stderr());
            Ok(Arc::new(console))
        }
        #[cfg(feature = "mail-console")]
        "mail-console" => Ok(Arc::new(mail_console::ConsoleMailer::new(&config.mail.from))),
        #[cfg(feature = "mail-smtp")]
        "mail-smtp" => smtp::open(chosen, config),
        other => Err(AdapterError::Failed(format!(
            "{other} cannot be opened for {}",
            config.mail.from
        ))),
    }
}

#[cfg(feature = "mail-smtp")]
mod smtp {
    use std::sync::Arc;

    use domain::ports::Mailer;
    use domain::secret::Secret;
    use mail_smtp::{SmtpConfig, SmtpError, SmtpMailer};

    use super::{AdapterError, Chosen, Config};

    pub fn open(chosen: &Chosen, config: &Config) -> Result<Arc<dyn Mailer>, AdapterError> {
        let mail = &config.mail;
        let mut settings =
            SmtpConfig::parse(&Secret::new(chosen.text.expose())).map_err(|error| unusable(&error))?;
        settings.from.clone_from(&mail.from);
        settings.ca_file.clone_from(&mail.ca_file);
        settings.templates_dir.clone_from(&mail.templates_dir);
        settings.service_name.clone_from(&config.server.service_name);
        Ok(Arc::new(
            SmtpMailer::open(&settings).map_err(|error| unusable(&error))?,
        ))
    }

    fn unusable(error: &SmtpError) -> AdapterError {
        AdapterError::Unusable {
            key: error.key(),
            why: error.to_string(),
        }
    }
}
