//! Connections of our own account that wait for the next log-in. Nobody else's password is ever tried on one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::connection::Connection;

/// Connections that are open and bound.
pub struct Pool {
    idle: Mutex<Vec<(Connection, Instant)>>,
    most: usize,
    age: Duration,
}

impl Pool {
    /// One that keeps `most` connections, each unused for `age` at most.
    pub const fn new(most: usize, age: Duration) -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            most,
            age,
        }
    }

    /// The one that was used last, if it was not too long ago.
    pub fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < self.age);
        idle.pop().map(|(connection, _)| connection)
    }

    /// Keeps one for later.
    pub fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < self.age);
        if idle.len() < self.most {
            idle.push((connection, Instant::now()));
        }
    }

    /// Lets all go: the server they led to is another one now, or none.
    pub fn clear(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.clear();
    }
}
