//! `[storage]`: where users live.

use std::path::PathBuf;

use super::far::is_far;
use super::read::Reader;
use super::secret::Secret;
use super::url_of;

/// Settings of the durable store.
#[derive(Clone, Debug)]
pub struct Storage {
    /// `sqlite://PATH`, `postgres://…`, `mongodb://…` or `memory:`. The scheme chooses the adapter; a URL may hold a password.
    pub url: Secret,
    /// Authorities to trust instead of the built-in ones, PEM, where the store is reached over TLS.
    pub ca_file: Option<PathBuf>,
    /// Most connections to a store on another machine.
    pub max_connections: u64,
    /// Whether somebody chose that number.
    pub max_connections_given: bool,
}

impl Storage {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            url: url_of(reader, "sqlite://./data/portcullis.db"),
            ca_file: reader.maybe_path("ca_file"),
            max_connections: reader.number("max_connections", 16, 1..=1000),
            max_connections_given: reader.was_given("max_connections"),
        }
    }

    /// Whether further nodes may work on it.
    pub fn is_shared(&self) -> bool {
        is_far(&self.url)
    }
}
