//! The only place that knows adapters, and the only one with `cfg(feature)`: features compile adapters in, configuration chooses
//! among them.

mod choice;
pub mod identity;
mod mail;
mod sessions;
mod sms;
mod storage;

pub use choice::{AdapterError, Chosen};
pub use storage::Storage;

use std::sync::Arc;

use domain::ports::{FlowStore, RateLimiter, SessionStore};

use crate::config::Config;

#[cfg(not(any(feature = "storage-sqlite", feature = "storage-memory")))]
compile_error!(
    "this build has no storage: switch on at least one of the features storage-sqlite, storage-memory"
);
#[cfg(not(any(feature = "storage-sqlite", feature = "sessions-memory")))]
compile_error!("this build has nowhere to keep sessions: switch on storage-sqlite or sessions-memory");
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
    /// Sends codes.
    pub sms: Arc<dyn domain::ports::SmsSender>,
    /// Sends mail.
    pub mailer: Arc<dyn domain::ports::Mailer>,
}

/// Opens what the configuration names.
///
/// # Errors
/// [`AdapterError`], a sentence for the operator.
pub fn open(config: &Config) -> Result<Adapters, AdapterError> {
    let chosen = choose(config)?;
    let storage = storage::open(&chosen.storage)?;
    let sessions = sessions::open(&chosen.sessions, &storage)?;
    Ok(Adapters {
        storage,
        sessions,
        sms: sms::open(&chosen.sms)?,
        mailer: mail::open(&chosen.mail, &config.mail.from)?,
    })
}

/// What the configuration names, by kind; nothing is opened.
pub struct Choices {
    storage: Chosen,
    sessions: Chosen,
    sms: Chosen,
    mail: Chosen,
}

/// Checks that everything the configuration names is in this binary.
///
/// # Errors
/// [`AdapterError::NotCompiledIn`] names the feature, [`AdapterError::Unknown`] lists what there is.
pub fn choose(config: &Config) -> Result<Choices, AdapterError> {
    Ok(Choices {
        storage: storage::KIND.choose(config.storage.url.expose())?,
        sessions: sessions::KIND.choose(config.sessions.url.expose())?,
        sms: sms::KIND.choose(&config.sms.kind)?,
        mail: mail::KIND.choose(config.mail.url.expose())?,
    })
}

/// Brings the store's schema up to date and says what was done.
///
/// # Errors
/// [`AdapterError`], a sentence for the operator.
pub fn migrate(config: &Config) -> Result<String, AdapterError> {
    storage::migrate(&choose(config)?.storage)
}

/// All adapters this product has, and whether this binary holds them.
pub fn list() -> Vec<(&'static str, bool)> {
    [
        &storage::KIND,
        &sessions::KIND,
        &sms::KIND,
        &mail::KIND,
        &identity::KIND,
    ]
    .into_iter()
    .flat_map(|kind| kind.known.iter().map(|known| (known.feature, known.compiled)))
    .collect()
}
