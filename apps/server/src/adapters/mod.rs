//! The only place that knows adapters, and the only one with `cfg(feature)`: features compile adapters in, configuration chooses
//! among them.

mod breached;
mod choice;
#[cfg(any(
    feature = "storage-sqlite",
    feature = "storage-postgres",
    feature = "storage-mongo"
))]
mod durable;
pub mod identity;
mod keeper;
pub mod loopback;
pub mod mail;
mod passkeys;
mod sessions;
mod sms;
mod storage;
mod webhooks;

pub use breached::open as open_breached;
pub use choice::{AdapterError, Kind, Known};
pub use identity::as_worker;
pub use keeper::Keepers;
pub use passkeys::open as open_passkeys;
pub use storage::Storage;
pub use webhooks::open as open_webhooks;

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{FlowStore, Mailer, RateLimiter, SessionStore, SmsSender};
use outbound_http::{Outbound, OutboundConfig};

use crate::config::{Config, Secret};
use choice::Chosen;

#[cfg(not(any(
    feature = "storage-sqlite",
    feature = "storage-postgres",
    feature = "storage-mongo",
    feature = "storage-memory"
)))]
compile_error!(
    "this build has no storage: switch on at least one of the features storage-sqlite, storage-postgres, storage-mongo, storage-memory"
);
#[cfg(not(any(
    feature = "storage-sqlite",
    feature = "storage-postgres",
    feature = "storage-mongo",
    feature = "sessions-memory"
)))]
compile_error!(
    "this build has nowhere to keep sessions: switch on a durable storage (storage-sqlite, storage-postgres, storage-mongo) or sessions-memory"
);
#[cfg(not(any(feature = "sms-console", feature = "sms-nexmo")))]
compile_error!("this build has no SMS sender: switch on at least one of the features sms-console, sms-nexmo");
#[cfg(not(any(feature = "mail-console", feature = "mail-smtp")))]
compile_error!("this build has no mailer: switch on at least one of the features mail-console, mail-smtp");

/// What keeps sessions, unfinished flows and counters: one adapter for the three.
#[derive(Clone)]
pub struct SessionPorts {
    /// Keeps sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Keeps unfinished flows.
    pub flows: Arc<dyn FlowStore>,
    /// Keeps counters.
    pub limiter: Arc<dyn RateLimiter>,
}

/// Everything that configuration chooses, opened.
pub struct Adapters {
    /// Keeps users and the audit log.
    pub storage: Storage,
    /// Keeps sessions, flows, counters.
    pub sessions: SessionPorts,
    /// What has to answer, and to be closed.
    pub keepers: Keepers,
    /// Sends codes.
    pub sms: Arc<dyn SmsSender>,
    /// Sends mail.
    pub mailer: Arc<dyn Mailer>,
}

/// Opens what the configuration names.
///
/// # Errors
/// [`AdapterError`], a sentence for the operator.
pub async fn open(config: &Config) -> Result<Adapters, AdapterError> {
    let chosen = choose(config)?;
    let (storage, stored) = storage::open(&chosen.storage, &config.storage).await?;
    let (sessions, kept) = sessions::open(&chosen.sessions, &config.sessions, &storage).await?;
    Ok(Adapters {
        storage,
        sessions,
        keepers: Keepers::new(kept.into_iter().chain([stored]).collect()),
        sms: chosen.sms,
        mailer: chosen.mailer,
    })
}

/// What the configuration names, by kind; nothing is asked yet.
pub struct Choices {
    storage: Chosen,
    sessions: Chosen,
    sms: Arc<dyn SmsSender>,
    mailer: Arc<dyn Mailer>,
}

/// Checks that everything the configuration names is in this binary, and that what goes together does. Senders are opened: they ask
/// nobody before there is something to send, so whatever is wrong with them is wrong with the configuration.
///
/// # Errors
/// [`AdapterError::NotCompiledIn`] names the feature, [`AdapterError::Unknown`] lists what there is.
pub fn choose(config: &Config) -> Result<Choices, AdapterError> {
    let choices = Choices {
        storage: storage::KIND.choose(&config.storage.url)?,
        sessions: sessions::KIND.choose(&config.sessions.url)?,
        sms: sms::open(&sms::KIND.choose(&Secret::new(&config.sms.kind))?, config)?,
        mailer: mail::open(&mail::KIND.choose(&config.mail.url)?, config)?,
    };
    storage::check(&choices.storage, &config.storage)?;
    sessions::check(&choices.sessions, &config.sessions, &choices.storage)?;
    Ok(choices)
}

/// What asks other servers for us, within the bounds of `[outbound]`. Asks nobody by itself.
///
/// # Errors
/// [`AdapterError::Failed`]: certificates or a proxy that cannot be used.
pub fn outbound(config: &Config) -> Result<Outbound, AdapterError> {
    let outbound = Outbound::new(outbound_config(config));
    outbound.map_err(|error| AdapterError::Failed(format!("`[outbound]`: {error}")))
}

/// The bounds of `[outbound]`.
fn outbound_config(config: &Config) -> OutboundConfig {
    let settings = &config.outbound;
    OutboundConfig {
        total_timeout: Duration::from_secs(settings.timeout),
        ca_file: settings.ca_file.clone(),
        proxy: settings.proxy.as_ref().map(|proxy| proxy.expose().to_owned()),
        ..OutboundConfig::default()
    }
}

/// Brings the store's schema up to date and says what was done.
///
/// # Errors
/// [`AdapterError`], a sentence for the operator.
pub async fn migrate(config: &Config) -> Result<String, AdapterError> {
    storage::migrate(&choose(config)?.storage, &config.storage).await
}

/// All adapters this product has by kind, and whether this binary holds them.
pub const fn kinds() -> [(&'static str, &'static Kind); 8] {
    [
        ("storage", &storage::KIND),
        ("sessions", &sessions::KIND),
        ("SMS", &sms::KIND),
        ("mail", &mail::KIND),
        ("identity providers", &identity::KIND),
        ("passkeys", &passkeys::KIND),
        ("breached passwords", &breached::KIND),
        ("webhooks", &webhooks::KIND),
    ]
}
