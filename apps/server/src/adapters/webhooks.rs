//! Events for other services.

use std::sync::Arc;

use domain::ports::WebhookSender;

use super::choice::{AdapterError, Kind, Known};
use crate::config::Config;

/// Who can tell them.
pub const KIND: Kind = Kind {
    key: "webhooks",
    known: &[Known {
        words: &["url"],
        feature: "webhook-http",
        compiled: cfg!(feature = "webhook-http"),
    }],
};

/// Opens the sender of the configured webhooks; none where there are none. It asks nobody yet.
///
/// # Errors
/// [`AdapterError`], a sentence for the operator.
#[cfg(feature = "webhook-http")]
pub fn open(config: &Config) -> Result<Option<Arc<dyn WebhookSender>>, AdapterError> {
    use domain::id::WebhookName;
    use domain::secret::Secret;
    use webhook_http::{Endpoint, HttpWebhookSender, SigningSecret};

    if config.webhooks.is_empty() {
        return Ok(None);
    }
    let unusable = |name: &str, key: &str, why: String| AdapterError::Unusable {
        key: "webhooks",
        why: format!("of `{name}`: {key} {why}"),
    };
    let mut endpoints = Vec::new();
    for webhook in &config.webhooks {
        let name = &webhook.name;
        let given = [
            ("secret", &webhook.secret),
            ("former_secret", &webhook.former_secret),
        ];
        let mut secrets = Vec::new();
        for (key, secret) in given {
            if let Some(secret) = secret {
                let parsed = SigningSecret::parse(secret.expose());
                secrets.push(parsed.map_err(|error| unusable(name, key, error.to_string()))?);
            }
        }
        let endpoint = Endpoint {
            name: WebhookName::new(name),
            url: Secret::new(webhook.url.expose()),
            secrets,
        };
        endpoint
            .check()
            .map_err(|error| unusable(name, "url", error.to_string()))?;
        endpoints.push(endpoint);
    }
    let outbound = super::outbound(config)?;
    let sender = HttpWebhookSender::open(outbound, Arc::new(system::SystemClock), endpoints);
    let sender = sender.map_err(|error| AdapterError::Failed(format!("`webhooks`: {error}")))?;
    Ok(Some(Arc::new(sender)))
}

/// As above, without the adapter.
///
/// # Errors
/// [`AdapterError::NotCompiledIn`] where webhooks are configured.
#[cfg(not(feature = "webhook-http"))]
pub fn open(config: &Config) -> Result<Option<Arc<dyn WebhookSender>>, AdapterError> {
    if config.webhooks.is_empty() {
        return Ok(None);
    }
    KIND.choose(&crate::config::Secret::new("url")).map(|_| None)
}
