//! Sessions, unfinished flows and counters: in the store, or in a keeper of their own.

use super::choice::{AdapterError, Chosen, Kind, Known};
use super::keeper::Keeper;
use super::{SessionPorts, Storage};
use crate::config;

/// What can keep sessions. `storage:` is no crate of its own: it is whatever the store can do.
pub const KIND: Kind = Kind {
    key: "sessions.url",
    known: &[
        Known {
            words: &["storage"],
            feature: "sessions-storage",
            compiled: true,
        },
        Known {
            words: &[
                "redis",
                "rediss",
                "redis-cluster",
                "rediss-cluster",
                "redis-sentinel",
                "rediss-sentinel",
            ],
            feature: "sessions-redis",
            compiled: cfg!(feature = "sessions-redis"),
        },
        Known {
            words: &["memory"],
            feature: "sessions-memory",
            compiled: cfg!(feature = "sessions-memory"),
        },
    ],
};

/// Opens the chosen keeper. What it has to close besides the store comes along.
#[cfg_attr(
    not(feature = "sessions-redis"),
    expect(clippy::unused_async, reason = "no keeper of this build is far away")
)]
pub async fn open(
    chosen: &Chosen,
    config: &config::Sessions,
    storage: &Storage,
) -> Result<(SessionPorts, Option<Keeper>), AdapterError> {
    match (chosen.feature, &storage.durable) {
        ("sessions-storage", Some(durable)) => Ok((durable.sessions.clone(), None)),
        // A store in memory forgets at restart as sessions in memory do: they go together.
        ("sessions-storage", None) => {
            let memory = in_memory().ok_or_else(|| AdapterError::Unusable {
                key: chosen.key,
                why: "the chosen store keeps no sessions, and this binary was built without sessions-memory"
                    .to_owned(),
            });
            Ok((memory?, None))
        }
        #[cfg(feature = "sessions-redis")]
        ("sessions-redis", _) => redis::open(chosen, config, storage).await,
        _ => {
            let _ = config;
            let memory = in_memory();
            let memory = memory
                .ok_or_else(|| AdapterError::Failed("sessions-memory is not in this binary".to_owned()));
            Ok((memory?, None))
        }
    }
}

/// Judges what the configuration says to the adapter, without opening anything.
pub fn check(chosen: &Chosen, config: &config::Sessions, storage: &Chosen) -> Result<(), AdapterError> {
    match chosen.feature {
        "sessions-redis" if storage.feature == "storage-memory" => Err(AdapterError::Unusable {
            key: chosen.key,
            why: NEEDS_A_STORE.to_owned(),
        }),
        #[cfg(feature = "sessions-redis")]
        "sessions-redis" => redis::settings(chosen, config).map(|_| ()),
        _ => {
            let _ = config;
            Ok(())
        }
    }
}

const NEEDS_A_STORE: &str = "sessions in Redis need a durable store beside it, which keeps what Redis may lose; `storage.url` is `memory:`";

#[cfg(feature = "sessions-redis")]
mod redis {
    use std::sync::Arc;

    use domain::secret::Secret;
    use sessions_redis::{Durable, RedisConfig, RedisSessions};

    use super::{AdapterError, Chosen, Keeper, NEEDS_A_STORE, SessionPorts, Storage, config};

    pub async fn open(
        chosen: &Chosen,
        config: &config::Sessions,
        storage: &Storage,
    ) -> Result<(SessionPorts, Option<Keeper>), AdapterError> {
        let stored = storage.durable.as_ref();
        let stored = stored.ok_or_else(|| unusable(chosen, NEEDS_A_STORE))?;
        // Every durable store keeps what Redis may lose, and is the authority on every limit.
        let durable = Durable {
            tombstones: Arc::clone(&stored.tombstones),
            limiter: Arc::clone(&stored.sessions.limiter),
        };
        let opened = RedisSessions::open(settings(chosen, config)?, durable).await;
        let redis = Arc::new(opened.map_err(|error| unusable(chosen, error))?);
        let (asked, closed) = (Arc::clone(&redis), Arc::clone(&redis));
        let keeper = Keeper {
            name: "sessions",
            ready: Box::new(move || {
                let redis = Arc::clone(&asked);
                Box::pin(async move { redis.ready().await })
            }),
            close: Box::new(move || {
                let redis = Arc::clone(&closed);
                Box::pin(async move {
                    redis.close().await;
                    Ok(())
                })
            }),
        };
        let ports = SessionPorts {
            sessions: Arc::<RedisSessions>::clone(&redis),
            flows: Arc::<RedisSessions>::clone(&redis),
            limiter: redis,
        };
        Ok((ports, Some(keeper)))
    }

    /// What the configuration says; nothing is asked.
    pub fn settings(chosen: &Chosen, config: &config::Sessions) -> Result<RedisConfig, AdapterError> {
        let read = RedisConfig::parse(&Secret::new(chosen.text.expose()));
        let mut settings = read.map_err(|error| unusable(chosen, error))?;
        settings.ca_file.clone_from(&config.ca_file);
        settings.prefix.clone_from(&config.prefix);
        Ok(settings)
    }

    fn unusable(chosen: &Chosen, why: impl std::fmt::Display) -> AdapterError {
        AdapterError::Unusable {
            key: chosen.key,
            why: why.to_string(),
        }
    }
}

#[cfg(feature = "sessions-memory")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is none")]
fn in_memory() -> Option<SessionPorts> {
    use std::sync::Arc;

    let memory = Arc::new(sessions_memory::MemorySessions::default());
    Some(SessionPorts {
        sessions: Arc::<sessions_memory::MemorySessions>::clone(&memory),
        flows: Arc::<sessions_memory::MemorySessions>::clone(&memory),
        limiter: memory,
    })
}

#[cfg(not(feature = "sessions-memory"))]
fn in_memory() -> Option<SessionPorts> {
    None
}
