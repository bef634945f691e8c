//! The database file and the lock beside it, for our eyes only.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::OpenError;

/// Read and written by the server's own account, by nobody else.
const OURS: u32 = 0o600;
const OUR_DIRECTORY: u32 = 0o700;

/// A database file that is ours alone, as long as this value lives.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The one spelling of the path, whichever way it was asked for.
    pub path: PathBuf,
    _lock: File,
}

/// Makes directory and file if they are not there, closes the file to others, and locks it against every other process.
///
/// SQLite's own locks would let two processes share the file; our caches would not notice what the other one writes.
pub(crate) fn claim(path: &Path) -> Result<Claim, OpenError> {
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_directory(directory).map_err(OpenError::file(directory))?;
    }
    touch(path).map_err(OpenError::file(path))?;
    let path = path.canonicalize().map_err(OpenError::file(path))?;
    let lock_path = beside(&path, ".lock");
    let lock = touch(&lock_path).map_err(OpenError::file(&lock_path))?;
    match lock.try_lock() {
        Ok(()) => Ok(Claim { path, _lock: lock }),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path }),
        Err(TryLockError::Error(source)) => Err(OpenError::file(&lock_path)(source)),
    }
}

fn make_directory(directory: &Path) -> std::io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(OUR_DIRECTORY)
        .create(directory)
}

/// Opens a file for us alone. One that was there and open to others (restored from a backup, say) is closed to them; SQLite
/// gives its `-wal` and `-shm` files the same mode.
fn touch(path: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(OURS)
        .open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(OURS))?;
    }
    Ok(file)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
