//! The keys this process works with, which a rotation exchanges under it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use seal_local::LocalSealer;
use sign_local::LocalSigner;

use super::error::{KeyError, KeyFault};
use super::file::{Keyed, load_or_create};
use super::ring::{KeyRing, ServerKey};
use super::rotation::Rotation;

/// The sealer, the signer, the file its keys came from, and which they are.
pub struct KeysInUse {
    file: PathBuf,
    sealer: Arc<LocalSealer>,
    signer: Arc<LocalSigner>,
    ids: Mutex<Vec<String>>,
}

impl KeysInUse {
    /// Loads the keys of a file, or makes the file ([`load_or_create`]). The newest key comes along, for what keeps it until the
    /// process ends.
    ///
    /// # Errors
    /// As [`load_or_create`].
    pub fn load(file: &Path) -> Result<(Self, ServerKey), KeyError> {
        let Keyed { keys, created } = load_or_create(file)?;
        let newest = keys.newest().clone();
        tracing::info!(key = newest.id(), keys = keys.count(), created, "server key");
        let sealer = LocalSealer::new(keys.for_sealing());
        let sealer = sealer.map_err(|error| KeyError::of(file)(error.into()))?;
        let signer = LocalSigner::new(&keys.for_signing());
        let signer = signer.map_err(|error| KeyError::of(file)(error.into()))?;
        let in_use = Self {
            file: file.to_path_buf(),
            sealer: Arc::new(sealer),
            signer: Arc::new(signer),
            ids: Mutex::new(ids(&keys)),
        };
        Ok((in_use, newest))
    }

    /// Seals under the newest key, and opens under all.
    pub fn sealer(&self) -> Arc<LocalSealer> {
        Arc::clone(&self.sealer)
    }

    /// Signs under the newest key, and publishes the public halves of all.
    pub fn signer(&self) -> Arc<LocalSigner> {
        Arc::clone(&self.signer)
    }

    /// Where the file is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Takes the right to change the file.
    ///
    /// # Errors
    /// As [`Rotation::begin`]; and when a key that is in use here is not in the file any more: somebody put another file in its
    /// place, and the only copy of that key may be in this process.
    pub fn begin_rotation(&self) -> Result<Rotation, KeyError> {
        let rotation = Rotation::begin(&self.file)?;
        let found = ids(&rotation.current()?);
        let missing = self.locked().iter().find(|id| !found.contains(id)).cloned();
        match missing {
            None => Ok(rotation),
            Some(id) => Err(KeyError::of(&self.file)(KeyFault::Exchanged(id))),
        }
    }

    /// Works with these keys from now on.
    ///
    /// # Errors
    /// Keys the sealer or the signer refuses; the former stay in use.
    pub fn exchange(&self, keys: &KeyRing) -> Result<(), KeyError> {
        let mut held = self.locked();
        let refused = KeyError::of(&self.file);
        // The signer first: should one refuse, what seals and what is held to be in use must still be the same.
        let signing = self.signer.replace(&keys.for_signing());
        signing.map_err(|error| refused(error.into()))?;
        let sealing = self.sealer.replace(keys.for_sealing());
        sealing.map_err(|error| refused(error.into()))?;
        *held = ids(keys);
        Ok(())
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ids(keys: &KeyRing) -> Vec<String> {
    keys.iter().map(|key| key.id().to_owned()).collect()
}
