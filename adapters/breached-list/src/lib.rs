#![doc = include_str!("../README.md")]

mod digest;
mod error;
mod loaded;
mod sorted;

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use domain::credential::Password;
use domain::ports::{BreachedPasswords, PortError};

use digest::{Digest, sha1};
pub use error::OpenError;
use loaded::Loaded;
use sorted::Sorted;

/// Hashes up to this many bytes of file are read into memory, so that they need no order.
const SMALL: u64 = 64 * 1024 * 1024;
/// As much of the first line as tells what the file is.
const HEAD: u64 = 256;

/// A list that was opened.
#[derive(Clone, Debug)]
pub struct BreachedList(Arc<Lookup>);

#[derive(Debug)]
enum Lookup {
    Loaded(Loaded),
    Sorted(Sorted),
}

impl BreachedList {
    /// Opens the list in a file; see the table above for what it may hold. Blocks.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no list; a sentence for the operator.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_within(path, SMALL)
    }

    /// The same, asking hashes where they lie as soon as they are more than `small` bytes.
    ///
    /// # Errors
    /// As [`BreachedList::open`].
    pub fn open_within(path: &Path, small: u64) -> Result<Self, OpenError> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let lookup = match digest::kind_of(&first_line(&file)?)? {
            digest::Kind::Hashes if size > small => Lookup::Sorted(Sorted::open(file, size)?),
            kind => Lookup::Loaded(Loaded::read(BufReader::new(File::open(path)?), kind)?),
        };
        Ok(Self(Arc::new(lookup)))
    }
}

/// The first line that holds anything, without its end.
fn first_line(file: &File) -> Result<Vec<u8>, OpenError> {
    let mut head = BufReader::new(file.take(HEAD));
    let mut line = Vec::new();
    loop {
        line.clear();
        if head.read_until(b'\n', &mut line)? == 0 {
            return Err(OpenError::Empty);
        }
        let text = digest::without_end(&line);
        if !text.is_empty() {
            return Ok(text.to_vec());
        }
    }
}

#[async_trait]
impl BreachedPasswords for BreachedList {
    async fn is_breached(&self, password: &Password) -> Result<bool, PortError> {
        let wanted: Digest = sha1(password.expose().as_bytes());
        if let Lookup::Loaded(loaded) = &*self.0 {
            return Ok(loaded.holds(&wanted));
        }
        let lookup = Arc::clone(&self.0);
        let asked = tokio::task::spawn_blocking(move || match &*lookup {
            Lookup::Loaded(loaded) => Ok(loaded.holds(&wanted)),
            Lookup::Sorted(sorted) => sorted.holds(&wanted),
        });
        asked
            .await
            .map_err(PortError::unavailable)?
            .map_err(PortError::unavailable)
    }
}
