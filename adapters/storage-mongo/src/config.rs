//! Settings.

use std::path::PathBuf;
use std::time::Duration;

use domain::secret::Secret;

use crate::address;
use crate::error::OpenError;

const MIB: u64 = 1024 * 1024;

/// Where the database is and how long to wait for it. `Debug` shows no password: the URL is a [`Secret`].
#[derive(Clone, Debug)]
pub struct MongoConfig {
    /// `mongodb://user:password@host1,host2/database?replicaSet=…&tls=true`, or `mongodb+srv://…`. Without a database name it is
    /// `portcullis`.
    pub url: Secret,
    /// PEM file of the authorities that may have signed the servers' certificates, in place of the public ones.
    pub ca_file: Option<PathBuf>,
    /// Most connections to each server; as many calls are under way at once.
    pub max_connections: u32,
    /// Calls that may wait for one of them; further ones are refused as busy.
    pub queue: usize,
    /// How long a call may wait for a server that takes writes to be known.
    pub server_selection_timeout: Duration,
    /// How long making one connection may take.
    pub connect_timeout: Duration,
    /// How long a call may take altogether. What the server has to wait for itself is bounded by a little less.
    pub operation_timeout: Duration,
    /// How long [`MongoStore::open`](crate::MongoStore::open) waits for a database that is not there yet.
    pub patience: Duration,
    /// Most bytes of users kept in memory for [`find_recent`](domain::ports::UserStore::find_recent).
    pub user_cache_bytes: u64,
}

impl MongoConfig {
    /// The database at `url`, with the bounds every network store keeps: an answer within three seconds, whatever happens.
    pub const fn new(url: Secret) -> Self {
        Self {
            url,
            ca_file: None,
            max_connections: 32,
            queue: 1024,
            server_selection_timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(2),
            operation_timeout: Duration::from_secs(3),
            patience: Duration::from_secs(15),
            user_cache_bytes: 32 * MIB,
        }
    }

    /// Looks whether the address makes sense, without connecting.
    ///
    /// # Errors
    /// [`OpenError`], which says what is wrong with it and never what stands in it.
    pub fn check(&self) -> Result<(), OpenError> {
        address::check(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_shows() {
        let config = MongoConfig::new(Secret::new("mongodb://ann:hunter2@db.example"));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
