//! Where a server keeps its files: a folder of its own among the system's temporary ones.

use std::path::Path;
use std::sync::Once;

use tempfile::TempDir;

use crate::program::Account;
use crate::trouble::Trouble;

/// Behind it stands the number of the process whose folder it is.
const OURS: &str = "portcullis-of-";

/// A new folder that is gone with its handle.
pub(crate) fn folder(of: &str) -> Result<TempDir, Trouble> {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(sweep);
    tempfile::Builder::new()
        .prefix(&format!("{OURS}{}-{of}-", std::process::id()))
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

/// Removes what killed processes left behind: it is many megabytes.
fn sweep() {
    let entries = std::fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten();
    for entry in entries {
        let name = entry.file_name();
        let owner = name.to_str().and_then(owner);
        if owner.is_some_and(is_known_to_be_gone) {
            // Somebody else's stays: we may not remove it.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(OURS)?.split('-').next()?.parse().ok()
}

fn is_known_to_be_gone(pid: u32) -> bool {
    Path::new("/proc/self").exists() && !Path::new(&format!("/proc/{pid}")).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_behind_is_removed() {
        // No process has a number this high.
        let left = std::env::temp_dir().join(format!("{OURS}4294967294-redis-x"));
        std::fs::create_dir_all(left.join("data")).unwrap();
        let ours = folder("test").unwrap();
        sweep();
        assert!(!left.exists());
        assert!(ours.path().exists());
    }
}
