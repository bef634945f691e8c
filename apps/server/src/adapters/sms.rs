//! Codes by text message.

use std::sync::Arc;

use domain::ports::SmsSender;

use super::choice::{AdapterError, Chosen, Kind, Known};
use crate::config::Config;

/// What can send codes.
pub const KIND: Kind = Kind {
    key: "sms.kind",
    known: &[
        Known {
            words: &["console"],
            feature: "sms-console",
            compiled: cfg!(feature = "sms-console"),
        },
        Known {
            words: &["nexmo", "vonage"],
            feature: "sms-nexmo",
            compiled: cfg!(feature = "sms-nexmo"),
        },
    ],
};

/// Opens the chosen sender, which asks nobody yet.
pub fn open(chosen: &Chosen, config: &Config) -> Result<Arc<dyn SmsSender>, AdapterError> {
    match chosen.feature {
        #[cfg(feature = "sms-console")]
        "sms-console" => Ok(Arc::new(sms_console::ConsoleSmsSender::new())),
        #[cfg(feature = "sms-nexmo")]
        "sms-nexmo" => nexmo::open(config),
        other => Err(AdapterError::Failed(format!(
            "{other} cannot be opened for `sms.kind = \"{}\"`",
            config.sms.kind
        ))),
    }
}

#[cfg(feature = "sms-nexmo")]
mod nexmo {
    use std::sync::Arc;

    use domain::ports::SmsSender;
    use domain::secret::Secret;
    use sms_nexmo::{NexmoConfig, NexmoConfigError, NexmoSmsSender};

    use super::AdapterError;
    use crate::config::{Config, Sms};

    pub fn open(config: &Config) -> Result<Arc<dyn SmsSender>, AdapterError> {
        let sms = &config.sms;
        let (Some(key), Some(secret), Some(from)) = (&sms.api_key, &sms.api_secret, &sms.from) else {
            return Err(missing(sms));
        };
        let base_url = sms.base_url.clone();
        let settings = NexmoConfig {
            api_key: Secret::new(key.expose()),
            api_secret: Secret::new(secret.expose()),
            from: from.clone(),
            base_url: base_url.unwrap_or_else(|| NexmoConfig::BASE_URL.to_owned()),
        };
        let sender = NexmoSmsSender::open(crate::adapters::outbound(config)?, settings);
        Ok(Arc::new(sender.map_err(unusable)?))
    }

    /// Everything that is missing at once: nobody wants to be told twice.
    fn missing(sms: &Sms) -> AdapterError {
        let keys = [
            ("sms.api_key", sms.api_key.is_none()),
            ("sms.api_secret", sms.api_secret.is_none()),
            ("sms.from", sms.from.is_none()),
        ];
        let mut keys = keys.into_iter().filter(|(_, is_missing)| *is_missing);
        let (key, _) = keys.next().unwrap_or(("sms.kind", true));
        let more = keys.fold(String::new(), |more, (key, _)| {
            more + ", nor without `" + key + "`"
        });
        AdapterError::Unusable {
            key,
            why: format!("is missing: `nexmo` cannot do without it{more}"),
        }
    }

    fn unusable(error: NexmoConfigError) -> AdapterError {
        let key = match error {
            NexmoConfigError::ApiKey => "sms.api_key",
            NexmoConfigError::ApiSecret => "sms.api_secret",
            NexmoConfigError::From => "sms.from",
            NexmoConfigError::BaseUrl => "sms.base_url",
        };
        AdapterError::Unusable {
            key,
            why: error.to_string(),
        }
    }
}
