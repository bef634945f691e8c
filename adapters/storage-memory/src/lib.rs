#![doc = include_str!("../README.md")]

mod access;
mod applications;
mod audit;
mod outbox;
mod tombstones;
mod users;

use domain::access::AccessState;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

/// Users, client applications, audit events, tombstones and waiting messages of one process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    users: RwLock<users::Users>,
    applications: Mutex<applications::Applications>,
    access: Mutex<AccessState>,
    events: Mutex<audit::Events>,
    tombstones: Mutex<tombstones::Stones>,
    messages: Mutex<outbox::Messages>,
}

/// Takes a lock whatever happened to its last holder: no holder leaves the data half-changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
