//! `[secrets]`: the server's own key.

use std::path::PathBuf;

use super::read::Reader;

/// Where the server keeps its key.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// The key file; made at the first start.
    pub key_file: PathBuf,
}

impl Secrets {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            key_file: reader.path("key_file", "./data/keys/portcullis.key"),
        }
    }
}
