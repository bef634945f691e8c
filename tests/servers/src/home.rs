//! Where a server keeps its files: a folder of its own among the system's temporary ones.

use std::path::Path;

use tempfile::TempDir;

use crate::program::Account;
use crate::trouble::Trouble;

/// A new folder that is gone with its handle.
pub(crate) fn folder(of: &str) -> Result<TempDir, Trouble> {
    tempfile::Builder::new()
        .prefix(&format!("portcullis-{of}-"))
        .tempdir()
        .map_err(|error| Trouble::new(format!("no temporary folder can be made: {error}")))
}

/// The same, owned by an account.
pub(crate) fn folder_of(of: &str, account: Option<Account>) -> Result<TempDir, Trouble> {
    let made = folder(of)?;
    account.map_or(Ok(()), |account| account.own(made.path()))?;
    Ok(made)
}

pub(crate) fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    std::fs::write(path, text)
        .map_err(|error| Trouble::new(format!("{} cannot be written: {error}", path.display())))
}
