//! `[storage]`: where users live.

use super::read::Reader;
use super::secret::Secret;
use super::url_of;

/// Settings of the durable store.
#[derive(Clone, Debug)]
pub struct Storage {
    /// `sqlite://PATH` or `memory:`. The scheme chooses the adapter; a URL may hold a password.
    pub url: Secret,
}

impl Storage {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            url: url_of(reader, "sqlite://./data/portcullis.db"),
        }
    }
}
