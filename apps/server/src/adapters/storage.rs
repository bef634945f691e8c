//! Users and the audit log; in an embedded store also sessions, flows and counters.

use std::sync::Arc;

use domain::ports::{ApplicationStore, AuditLog, PortError, UserStore};
use futures_util::future::BoxFuture;

use super::SessionPorts;
use super::choice::{AdapterError, Chosen, Kind, Known};

/// The stores there are.
pub const KIND: Kind = Kind {
    key: "storage.url",
    known: &[
        Known {
            word: "sqlite",
            feature: "storage-sqlite",
            compiled: cfg!(feature = "storage-sqlite"),
        },
        Known {
            word: "memory",
            feature: "storage-memory",
            compiled: cfg!(feature = "storage-memory"),
        },
    ],
};

/// Asks a store something that takes a moment.
type Asking = Box<dyn Fn() -> BoxFuture<'static, Result<(), PortError>> + Send + Sync>;

/// An opened store.
pub struct Storage {
    /// Keeps users.
    pub users: Arc<dyn UserStore>,
    /// Keeps the audit log.
    pub audit: Arc<dyn AuditLog>,
    /// Keeps client applications.
    pub applications: Arc<dyn ApplicationStore>,
    /// What keeps sessions, where the store can.
    pub sessions: Option<SessionPorts>,
    /// Whether it answers.
    pub ready: Asking,
    /// Finishes what it has to do.
    pub close: Asking,
}

/// Opens the chosen store.
pub fn open(chosen: &Chosen) -> Result<Storage, AdapterError> {
    match chosen.feature {
        #[cfg(feature = "storage-sqlite")]
        "storage-sqlite" => open_sqlite(chosen),
        #[cfg(feature = "storage-memory")]
        "storage-memory" => Ok(open_memory()),
        other => Err(AdapterError::Failed(format!("{other} cannot be opened"))),
    }
}

/// Brings the chosen store's schema up to date.
pub fn migrate(chosen: &Chosen) -> Result<String, AdapterError> {
    match chosen.feature {
        #[cfg(feature = "storage-sqlite")]
        "storage-sqlite" => {
            let done = storage_sqlite::migrate(sqlite_path(chosen)?).map_err(|error| failed(&error))?;
            Ok(if done.from == done.to {
                format!("the schema is up to date (version {})", done.to)
            } else {
                format!(
                    "brought the schema from version {} to version {}",
                    done.from, done.to
                )
            })
        }
        _ => Ok("this store has no schema".to_owned()),
    }
}

#[cfg(feature = "storage-sqlite")]
fn sqlite_path(chosen: &Chosen) -> Result<&std::path::Path, AdapterError> {
    if chosen.rest.is_empty() || chosen.rest.contains('?') {
        let why = "name a file, as in sqlite://./data/portcullis.db, without options behind it".to_owned();
        return Err(AdapterError::Unusable { key: chosen.key, why });
    }
    Ok(std::path::Path::new(&chosen.rest))
}

#[cfg(feature = "storage-sqlite")]
fn failed(error: &storage_sqlite::OpenError) -> AdapterError {
    AdapterError::Failed(error.to_string())
}

#[cfg(feature = "storage-sqlite")]
fn open_sqlite(chosen: &Chosen) -> Result<Storage, AdapterError> {
    let config = storage_sqlite::SqliteConfig::new(sqlite_path(chosen)?);
    let store = Arc::new(storage_sqlite::SqliteStore::open(&config).map_err(|error| failed(&error))?);
    let (asked, closed) = (Arc::clone(&store), Arc::clone(&store));
    Ok(Storage {
        users: Arc::<storage_sqlite::SqliteStore>::clone(&store),
        audit: Arc::<storage_sqlite::SqliteStore>::clone(&store),
        applications: Arc::<storage_sqlite::SqliteStore>::clone(&store),
        ready: Box::new(move || {
            let store = Arc::clone(&asked);
            Box::pin(async move { store.ready().await })
        }),
        close: Box::new(move || {
            let store = Arc::clone(&closed);
            Box::pin(async move { store.close().await })
        }),
        sessions: Some(SessionPorts {
            sessions: Arc::<storage_sqlite::SqliteStore>::clone(&store),
            flows: Arc::<storage_sqlite::SqliteStore>::clone(&store),
            limiter: store,
        }),
    })
}

#[cfg(feature = "storage-memory")]
fn open_memory() -> Storage {
    let store = Arc::new(storage_memory::MemoryStore::default());
    Storage {
        users: Arc::<storage_memory::MemoryStore>::clone(&store),
        audit: Arc::<storage_memory::MemoryStore>::clone(&store),
        applications: store,
        sessions: None,
        ready: Box::new(|| Box::pin(async { Ok(()) })),
        close: Box::new(|| Box::pin(async { Ok(()) })),
    }
}
