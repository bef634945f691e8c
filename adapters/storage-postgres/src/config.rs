//! Settings.

use std::path::PathBuf;
use std::time::Duration;

use domain::secret::Secret;

use crate::error::OpenError;
use crate::url::{self, Place};

const MIB: u64 = 1024 * 1024;

/// Where the database is and how much of it this node may take.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// `postgres://user:password@host:port/database?parameters`; several hosts are parted by commas.
    pub url: Secret,
    /// A file of PEM certificates of authorities to trust besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// Most connections at once.
    pub max_connections: u32,
    /// Calls that may wait for a connection; further ones are refused as busy.
    pub queue: usize,
    /// How long a call waits for a connection, be it a free one or a new one.
    pub acquire_timeout: Duration,
    /// How long the server works on one statement before it gives up; the client waits a little longer.
    pub statement_timeout: Duration,
    /// How long a call takes at most, waiting and working together.
    pub call_timeout: Duration,
    /// How long [`PostgresStore::open`](crate::PostgresStore::open) waits for a database that is not there yet.
    pub patience: Duration,
    /// Prepared statements kept per connection.
    pub statement_cache: usize,
    /// Most bytes of users kept in memory for `find_recent`.
    pub user_cache_bytes: u64,
    /// Most bytes of sessions kept in memory, each for half a second.
    pub session_cache_bytes: u64,
}

impl PostgresConfig {
    /// The database of that address, with settings fit for a node of a few cores.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: Secret::new(url),
            ca_file: None,
            max_connections: 16,
            queue: 1024,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_millis(2_500),
            call_timeout: Duration::from_millis(2_900),
            patience: Duration::from_secs(15),
            statement_cache: 128,
            user_cache_bytes: 64 * MIB,
            session_cache_bytes: 32 * MIB,
        }
    }

    /// Looks whether the address makes sense, without connecting.
    ///
    /// # Errors
    /// [`OpenError::Address`], which says what is wrong with it and never what stands in it.
    pub fn check(&self) -> Result<(), OpenError> {
        self.places().map(drop)
    }

    /// The servers to try, in order.
    pub(crate) fn places(&self) -> Result<Vec<Place>, OpenError> {
        url::places(self.url.expose(), self.ca_file.as_deref())
            .map_err(|problem| OpenError::Address { problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_never_show_the_password() {
        let shown = format!(
            "{:?}",
            PostgresConfig::new("postgres://ann:hunter2@db.example/login")
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
