//! The only place that knows adapters, and the only one with `cfg(feature)`: features compile adapters in, configuration chooses
//! among them.

mod choice;
pub mod identity;
mod keeper;
mod mail;
mod sessions;
mod sms;
mod storage;

pub use choice::{AdapterError, Kind, Known};
pub use keeper::Keepers;
pub use storage::Storage;

use std::sync::Arc;

use domain::ports::{FlowStore, RateLimiter, SessionStore};

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
#[cfg(not(feature = "sms-console"))]
compile_error!("this build has no SMS sender: switch on the feature sms-console");
#[cfg(not(feature = "mail-console"))]
compile_error!("this build has no mailer: switch on the feature mail-console");

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
    pub sms: Arc<dyn domain::ports::SmsSender>,
    /// Sends mail.
    pub mailer: Arc<dyn domain::ports::Mailer>,
}

/// Opens what the configuration names.
///
/// # Errors
/// [`AdapterError`], a sentence for the operator.
pub async fn open(config: &Config) -> Result<Adapters, AdapterError> {
    let chosen = choose(config)?;
    // What cannot fail for reasons outside comes before what may take its time.
    let sms = sms::open(&chosen.sms)?;
    let mailer = mail::open(&chosen.mail, &config.mail.from)?;
    let (storage, stored) = storage::open(&chosen.storage, &config.storage).await?;
    let (sessions, kept) = sessions::open(&chosen.sessions, &config.sessions, &storage).await?;
    Ok(Adapters {
        storage,
        sessions,
        keepers: Keepers::new(kept.into_iter().chain([stored]).collect()),
        sms,
        mailer,
    })
}

/// What the configuration names, by kind; nothing is opened.
pub struct Choices {
    storage: Chosen,
    sessions: Chosen,
    sms: Chosen,
    mail: Chosen,
}

/// Checks that everything the configuration names is in this binary, and that what goes together does.
///
/// # Errors
/// [`AdapterError::NotCompiledIn`] names the feature, [`AdapterError::Unknown`] lists what there is.
pub fn choose(config: &Config) -> Result<Choices, AdapterError> {
    let choices = Choices {
        storage: storage::KIND.choose(&config.storage.url)?,
        sessions: sessions::KIND.choose(&config.sessions.url)?,
        sms: sms::KIND.choose(&Secret::new(&config.sms.kind))?,
        mail: mail::KIND.choose(&config.mail.url)?,
    };
    storage::check(&choices.storage)?;
    sessions::check(&choices.sessions, &choices.storage)?;
    Ok(choices)
}

/// Brings the store's schema up to date and says what was done.
///
/// # Errors
/// [`AdapterError`], a sentence for the operator.
pub async fn migrate(config: &Config) -> Result<String, AdapterError> {
    storage::migrate(&choose(config)?.storage, &config.storage).await
}

/// All adapters this product has by kind, and whether this binary holds them.
pub const fn kinds() -> [(&'static str, &'static Kind); 5] {
    [
        ("storage", &storage::KIND),
        ("sessions", &sessions::KIND),
        ("SMS", &sms::KIND),
        ("mail", &mail::KIND),
        ("identity providers", &identity::KIND),
    ]
}
