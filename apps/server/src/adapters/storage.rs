//! Where users live; a durable store also keeps sessions, flows and counters, or what Redis may not lose of them.

use std::sync::Arc;

use domain::ports::{
    AccessStore, ApplicationStore, AuditLog, Outbox, PortError, RoleMembers, Tombstones, UserStore,
};
use futures_util::future::BoxFuture;

use super::SessionPorts;
use super::choice::{AdapterError, Chosen, Kind, Known};
use super::keeper::Keeper;
use crate::config;

/// The stores there are.
pub const KIND: Kind = Kind {
    key: "storage.url",
    known: &[
        Known {
            words: &["sqlite"],
            feature: "storage-sqlite",
            compiled: cfg!(feature = "storage-sqlite"),
        },
        Known {
            words: &["postgres", "postgresql"],
            feature: "storage-postgres",
            compiled: cfg!(feature = "storage-postgres"),
        },
        Known {
            words: &["mongodb", "mongodb+srv"],
            feature: "storage-mongo",
            compiled: cfg!(feature = "storage-mongo"),
        },
        Known {
            words: &["memory"],
            feature: "storage-memory",
            compiled: cfg!(feature = "storage-memory"),
        },
    ],
};

/// An opened store.
pub struct Storage {
    /// Keeps users.
    pub users: Arc<dyn UserStore>,
    /// Keeps the audit log.
    pub audit: Arc<dyn AuditLog>,
    /// Keeps client applications.
    pub applications: Arc<dyn ApplicationStore>,
    /// Keeps roles and access rules.
    pub access: Arc<dyn AccessStore>,
    /// Finds the users of a role.
    pub members: Arc<dyn RoleMembers>,
    /// Keeps messages until a carrier took them.
    pub outbox: Arc<dyn Outbox>,
    /// What else a durable store keeps.
    pub durable: Option<Durable>,
}

/// What a durable store keeps besides.
#[derive(Clone)]
pub struct Durable {
    /// Sessions, flows and counters.
    pub sessions: SessionPorts,
    /// What was ended, beside sessions that live elsewhere.
    pub tombstones: Arc<dyn Tombstones>,
}

/// Opens the chosen store.
#[cfg_attr(
    not(any(
        feature = "storage-sqlite",
        feature = "storage-postgres",
        feature = "storage-mongo"
    )),
    expect(clippy::unused_async, reason = "the only store of this build is memory")
)]
pub async fn open(chosen: &Chosen, config: &config::Storage) -> Result<(Storage, Keeper), AdapterError> {
    match chosen.feature {
        #[cfg(feature = "storage-sqlite")]
        "storage-sqlite" => sqlite::open(chosen).await,
        #[cfg(feature = "storage-postgres")]
        "storage-postgres" => postgres::open(chosen, config).await,
        #[cfg(feature = "storage-mongo")]
        "storage-mongo" => mongo::open(chosen, config).await,
        #[cfg(feature = "storage-memory")]
        "storage-memory" => Ok(open_memory()),
        other => {
            let _ = config;
            Err(AdapterError::Failed(format!("{other} cannot be opened")))
        }
    }
}

/// Brings the chosen store's schema up to date.
#[cfg_attr(
    not(any(
        feature = "storage-sqlite",
        feature = "storage-postgres",
        feature = "storage-mongo"
    )),
    expect(clippy::unused_async, reason = "the only store of this build is memory")
)]
pub async fn migrate(chosen: &Chosen, config: &config::Storage) -> Result<String, AdapterError> {
    match chosen.feature {
        #[cfg(feature = "storage-sqlite")]
        "storage-sqlite" => sqlite::migrate(chosen).await,
        #[cfg(feature = "storage-postgres")]
        "storage-postgres" => postgres::migrate(chosen, config).await,
        #[cfg(feature = "storage-mongo")]
        "storage-mongo" => mongo::migrate(chosen, config).await,
        _ => {
            let _ = config;
            Ok("this store has no schema".to_owned())
        }
    }
}

/// Judges what the configuration says to the adapter, without opening anything.
pub fn check(chosen: &Chosen, config: &config::Storage) -> Result<(), AdapterError> {
    match chosen.feature {
        #[cfg(feature = "storage-sqlite")]
        "storage-sqlite" => sqlite::path(chosen).map(|_| ()),
        #[cfg(feature = "storage-postgres")]
        "storage-postgres" => postgres::check(chosen, config),
        #[cfg(feature = "storage-mongo")]
        "storage-mongo" => mongo::check(chosen, config),
        #[cfg(feature = "storage-memory")]
        "storage-memory" => Ok(()),
        other => {
            let _ = config;
            Err(AdapterError::Failed(format!("{other} cannot be judged")))
        }
    }
}

/// What asking a store gives.
pub type Answer = BoxFuture<'static, Result<(), PortError>>;

/// What holds it open.
pub fn keeper<S: Send + Sync + 'static>(
    store: &Arc<S>,
    ready: fn(Arc<S>) -> Answer,
    close: fn(Arc<S>) -> Answer,
) -> Keeper {
    let (asked, closed) = (Arc::clone(store), Arc::clone(store));
    Keeper {
        name: "storage",
        ready: Box::new(move || ready(Arc::clone(&asked))),
        close: Box::new(move || close(Arc::clone(&closed))),
    }
}

#[cfg(feature = "storage-sqlite")]
mod sqlite {
    use std::path::Path;

    use storage_sqlite::{OpenError, SqliteConfig, SqliteStore};

    use super::super::durable::{durable, failed, migrated};
    use super::{AdapterError, Chosen, Keeper, Storage};

    /// The file that the URL names.
    pub fn path(chosen: &Chosen) -> Result<&Path, AdapterError> {
        let path = chosen.rest();
        if path.is_empty() || path.contains('?') {
            let why =
                "name a file, as in sqlite://./data/portcullis.db, without options behind it".to_owned();
            return Err(AdapterError::Unusable { key: chosen.key, why });
        }
        Ok(Path::new(path))
    }

    pub async fn open(chosen: &Chosen) -> Result<(Storage, Keeper), AdapterError> {
        let config = SqliteConfig::new(path(chosen)?);
        let store = blocking(move || SqliteStore::open(&config)).await?;
        Ok(durable(
            store,
            |store| Box::pin(async move { store.ready().await }),
            |store| Box::pin(async move { store.close().await }),
        ))
    }

    pub async fn migrate(chosen: &Chosen) -> Result<String, AdapterError> {
        let path = path(chosen)?.to_path_buf();
        let done = blocking(move || storage_sqlite::migrate(&path)).await?;
        Ok(migrated(done.from, done.to))
    }

    async fn blocking<T: Send + 'static>(
        work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
    ) -> Result<T, AdapterError> {
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(failed)?.map_err(failed)
    }
}

#[cfg(feature = "storage-postgres")]
mod postgres {
    use storage_postgres::{PostgresConfig, PostgresStore};

    use super::super::durable::{durable, failed, migrated};
    use super::{AdapterError, Chosen, Keeper, Storage, config, connections};

    pub async fn open(chosen: &Chosen, config: &config::Storage) -> Result<(Storage, Keeper), AdapterError> {
        let store = PostgresStore::open(&settings(chosen, config)).await;
        Ok(durable(
            store.map_err(failed)?,
            |store| Box::pin(async move { store.ready().await }),
            |store| Box::pin(async move { store.close().await }),
        ))
    }

    pub async fn migrate(chosen: &Chosen, config: &config::Storage) -> Result<String, AdapterError> {
        let done = storage_postgres::migrate(&settings(chosen, config)).await;
        done.map(|done| migrated(done.from, done.to)).map_err(failed)
    }

    pub fn check(chosen: &Chosen, config: &config::Storage) -> Result<(), AdapterError> {
        settings(chosen, config).check().map_err(failed)
    }

    fn settings(chosen: &Chosen, config: &config::Storage) -> PostgresConfig {
        PostgresConfig {
            ca_file: config.ca_file.clone(),
            max_connections: connections(config),
            ..PostgresConfig::new(chosen.text.expose())
        }
    }
}

#[cfg(feature = "storage-mongo")]
mod mongo {
    use domain::secret::Secret;
    use storage_mongo::{MongoConfig, MongoStore};

    use super::super::durable::{durable, failed, migrated};
    use super::{AdapterError, Chosen, Keeper, Storage, config, connections};

    pub async fn open(chosen: &Chosen, config: &config::Storage) -> Result<(Storage, Keeper), AdapterError> {
        let store = MongoStore::open(&settings(chosen, config)).await;
        Ok(durable(
            store.map_err(failed)?,
            |store| Box::pin(async move { store.ready().await }),
            |store| {
                Box::pin(async move {
                    store.close().await;
                    Ok(())
                })
            },
        ))
    }

    pub async fn migrate(chosen: &Chosen, config: &config::Storage) -> Result<String, AdapterError> {
        let done = storage_mongo::migrate(&settings(chosen, config)).await;
        done.map(|done| migrated(done.from, done.to)).map_err(failed)
    }

    pub fn check(chosen: &Chosen, config: &config::Storage) -> Result<(), AdapterError> {
        settings(chosen, config).check().map_err(failed)
    }

    fn settings(chosen: &Chosen, config: &config::Storage) -> MongoConfig {
        MongoConfig {
            ca_file: config.ca_file.clone(),
            max_connections: connections(config),
            ..MongoConfig::new(Secret::new(chosen.text.expose()))
        }
    }
}

#[cfg(any(feature = "storage-postgres", feature = "storage-mongo"))]
fn connections(config: &config::Storage) -> u32 {
    // Bounds are checked where the configuration is read.
    u32::try_from(config.max_connections).unwrap_or(u32::MAX)
}

#[cfg(feature = "storage-memory")]
fn open_memory() -> (Storage, Keeper) {
    let store = Arc::new(storage_memory::MemoryStore::default());
    let nothing: fn(Arc<storage_memory::MemoryStore>) -> Answer = |_| Box::pin(async { Ok(()) });
    let keeper = keeper(&store, nothing, nothing);
    let storage = Storage {
        users: Arc::<storage_memory::MemoryStore>::clone(&store),
        audit: Arc::<storage_memory::MemoryStore>::clone(&store),
        applications: Arc::<storage_memory::MemoryStore>::clone(&store),
        access: Arc::<storage_memory::MemoryStore>::clone(&store),
        members: Arc::<storage_memory::MemoryStore>::clone(&store),
        outbox: store,
        durable: None,
    };
    (storage, keeper)
}
