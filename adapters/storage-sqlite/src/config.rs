//! Settings.

use std::path::PathBuf;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// Where the database is and how much of the machine it may take.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// The database file. Its directory is made when it is not there.
    pub path: PathBuf,
    /// Threads that read. Writing has exactly one.
    pub readers: usize,
    /// Calls that may wait for a thread; further ones are refused as busy. Reads and writes each have a queue of this length.
    pub queue: usize,
    /// Most bytes of sessions kept in memory.
    pub session_cache_bytes: u64,
    /// Most bytes of users kept in memory.
    pub user_cache_bytes: u64,
    /// How long to wait for somebody who looks into the file from outside (a backup, the `sqlite3` shell).
    pub busy_timeout: Duration,
}

impl SqliteConfig {
    /// A database at `path` with settings fit for a small machine.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers: 2,
            queue: 1024,
            session_cache_bytes: 32 * MIB,
            user_cache_bytes: 64 * MIB,
            busy_timeout: Duration::from_secs(5),
        }
    }
}
