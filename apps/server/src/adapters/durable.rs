//! What all durable stores have in common here.

use std::sync::Arc;

use domain::ports::{
    AccessStore, ApplicationStore, AuditLog, FlowStore, Outbox, RateLimiter, RoleMembers, SessionStore,
    Tombstones, UserStore,
};

use super::SessionPorts;
use super::choice::AdapterError;
use super::keeper::Keeper;
use super::storage::{Answer, Durable, Storage, keeper};

/// Everything a durable store plays.
pub trait Plays:
    UserStore
    + AuditLog
    + ApplicationStore
    + AccessStore
    + RoleMembers
    + Outbox
    + SessionStore
    + FlowStore
    + RateLimiter
    + Tombstones
    + 'static
{
}

impl<S> Plays for S where
    S: UserStore
        + AuditLog
        + ApplicationStore
        + AccessStore
        + RoleMembers
        + Outbox
        + SessionStore
        + FlowStore
        + RateLimiter
        + Tombstones
        + 'static
{
}

/// One store in all its roles, which every durable store plays. `ready` and `close` are its own, which no port has.
pub fn durable<S: Plays>(
    store: S,
    ready: fn(Arc<S>) -> Answer,
    close: fn(Arc<S>) -> Answer,
) -> (Storage, Keeper) {
    let store = Arc::new(store);
    let keeper = keeper(&store, ready, close);
    let sessions = SessionPorts {
        sessions: Arc::<S>::clone(&store),
        flows: Arc::<S>::clone(&store),
        limiter: Arc::<S>::clone(&store),
    };
    let storage = Storage {
        users: Arc::<S>::clone(&store),
        audit: Arc::<S>::clone(&store),
        applications: Arc::<S>::clone(&store),
        access: Arc::<S>::clone(&store),
        members: Arc::<S>::clone(&store),
        outbox: Arc::<S>::clone(&store),
        durable: Some(Durable {
            sessions,
            tombstones: store,
        }),
    };
    (storage, keeper)
}

/// What an adapter says, which is a sentence for the operator and repeats no address.
pub fn failed(error: impl std::fmt::Display) -> AdapterError {
    AdapterError::Failed(error.to_string())
}

/// Says what a migration did.
pub fn migrated(from: u32, to: u32) -> String {
    if from == to {
        format!("the schema is up to date (version {to})")
    } else {
        format!("brought the schema from version {from} to version {to}")
    }
}
