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
pub fn check(chosen: &Chosen, storage: &Chosen) -> Result<(), AdapterError> {
    if chosen.feature == "sessions-redis" && storage.feature == "storage-memory" {
        let why = "sessions in Redis need a durable store beside it, which keeps what Redis may lose; `storage.url` is `memory:`";
        return Err(AdapterError::Unusable {
            key: chosen.key,
            why: why.to_owned(),
        });
    }
    Ok(())
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
