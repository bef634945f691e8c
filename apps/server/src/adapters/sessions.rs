//! Sessions, unfinished flows and counters: in the store, or in a keeper of their own.

use super::choice::{AdapterError, Chosen, Kind, Known};
use super::{SessionPorts, Storage};

/// What can keep sessions. `storage:` is no crate of its own: it is whatever the store can do.
pub const KIND: Kind = Kind {
    key: "sessions.url",
    known: &[
        Known {
            word: "storage",
            feature: "sessions-storage",
            compiled: true,
        },
        Known {
            word: "memory",
            feature: "sessions-memory",
            compiled: cfg!(feature = "sessions-memory"),
        },
    ],
};

/// Opens the chosen keeper.
pub fn open(chosen: &Chosen, storage: &Storage) -> Result<SessionPorts, AdapterError> {
    match (chosen.feature, &storage.sessions) {
        ("sessions-storage", Some(ports)) => Ok(ports.clone()),
        // A store in memory forgets at restart as sessions in memory do: they go together.
        ("sessions-storage", None) => in_memory().ok_or_else(|| AdapterError::Unusable {
            key: chosen.key,
            why: "the chosen store keeps no sessions, and this binary was built without sessions-memory"
                .to_owned(),
        }),
        _ => in_memory()
            .ok_or_else(|| AdapterError::Failed("sessions-memory is not in this binary".to_owned())),
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
