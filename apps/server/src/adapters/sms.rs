//! Codes by text message.

use std::sync::Arc;

use domain::ports::SmsSender;

use super::choice::{AdapterError, Chosen, Kind, Known};
use crate::config::Config;

/// What can send codes.
pub const KIND: Kind = Kind {
    key: "sms.kind",
    known: &[Known {
        words: &["console"],
        feature: "sms-console",
        compiled: cfg!(feature = "sms-console"),
    }],
};

/// Opens the chosen sender, which asks nobody yet.
pub fn open(chosen: &Chosen, config: &Config) -> Result<Arc<dyn SmsSender>, AdapterError> {
    match chosen.feature {
        #[cfg(feature = "sms-console")]
        "sms-console" => Ok(Arc::new(sms_console::ConsoleSmsSender::new())),
        other => Err(AdapterError::Failed(format!(
            "{other} cannot be opened for `sms.kind = \"{}\"`",
            config.sms.kind
        ))),
    }
}
