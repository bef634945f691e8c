//! Changing the keys in the file: a new one in front, and those that nothing needs any more away from the end.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::error::{KeyError, KeyFault};
use super::file::{folder_of, read, replace, sweep};
use super::ring::{KeyRing, MAX_KEYS, ServerKey};

/// The right to change the file, held by one process at a time until it is dropped.
#[derive(Debug)]
pub struct Rotation {
    path: PathBuf,
    /// The folder, locked: the file itself is exchanged underway.
    _folder: File,
}

impl Rotation {
    /// Takes the right.
    ///
    /// # Errors
    /// There is no file yet, or another process is rotating its keys.
    pub fn begin(path: &Path) -> Result<Self, KeyError> {
        let attempt = || {
            let real = match path.canonicalize() {
                Ok(real) => real,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(KeyFault::Missing),
                Err(error) => return Err(KeyFault::io("finding it")(error)),
            };
            let folder = File::open(folder_of(&real)).map_err(KeyFault::io("opening its folder"))?;
            match folder.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(KeyFault::Rotating),
                Err(TryLockError::Error(error)) => return Err(KeyFault::io("locking its folder")(error)),
            }
            sweep(folder_of(&real)).map_err(KeyFault::io("removing a draft beside it"))?;
            Ok(folder)
        };
        Ok(Self {
            path: path.to_path_buf(),
            _folder: attempt().map_err(KeyError::of(path))?,
        })
    }

    /// The keys as they are now.
    ///
    /// # Errors
    /// What [`super::load`] refuses.
    pub fn current(&self) -> Result<KeyRing, KeyError> {
        self.change(Ok)
    }

    /// Puts a new key in front. It is durable when this returns, before anything can be sealed under it.
    ///
    /// # Errors
    /// What [`super::load`] refuses, a file that is full, a file system that refuses.
    pub fn add(&self) -> Result<KeyRing, KeyError> {
        self.change(|keys| {
            if keys.count() >= MAX_KEYS {
                return Err(KeyFault::Full(keys.count()));
            }
            Ok(keys.behind(ServerKey::draw()?))
        })
    }

    /// Puts a new key behind the newest: it only opens, until [`Rotation::promote`]. Its id comes along.
    ///
    /// # Errors
    /// As [`Rotation::add`].
    pub fn prepare(&self) -> Result<(KeyRing, String), KeyError> {
        let mut id = String::new();
        let keys = self.change(|keys| {
            if keys.count() >= MAX_KEYS {
                return Err(KeyFault::Full(keys.count()));
            }
            let new = ServerKey::draw()?;
            new.id().clone_into(&mut id);
            Ok(keys.with_second(new))
        })?;
        Ok((keys, id))
    }

    /// Puts a key of the file in front of the others.
    ///
    /// # Errors
    /// What [`super::load`] refuses, an id that no key has, a file system that refuses.
    pub fn promote(&self, id: &str) -> Result<KeyRing, KeyError> {
        self.change(|keys| keys.led_by(id).ok_or(KeyFault::Unknown))
    }

    /// Drops all but the `generations` newest keys. Only for keys that seal nothing any more: nothing brings them back.
    ///
    /// # Errors
    /// As [`Rotation::add`].
    pub fn keep_only(&self, generations: usize) -> Result<KeyRing, KeyError> {
        self.change(|keys| Ok(keys.only(generations)))
    }

    fn change(&self, make: impl FnOnce(KeyRing) -> Result<KeyRing, KeyFault>) -> Result<KeyRing, KeyError> {
        let attempt = || {
            let old = read(&self.path)?.ok_or(KeyFault::Missing)?;
            let new = make(old.clone())?;
            if new != old {
                replace(&self.path, &new)?;
            }
            Ok(new)
        };
        attempt().map_err(KeyError::of(&self.path))
    }
}
