//! Reading, making and replacing the key file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use zeroize::Zeroizing;

use super::error::{KeyError, KeyFault};
use super::ring::{KeyRing, ServerKey, random_hex};

/// A full key file has about 1200 bytes; a larger file is something else.
const MAX_FILE: u64 = 4096;
/// How the names of unfinished files begin.
const DRAFT: &str = ".portcullis-key-";
/// How those end that are to replace another.
const NEXT: &str = ".next";

/// The keys, and whether this process made them.
#[derive(Debug)]
pub struct Keyed {
    /// The keys.
    pub keys: KeyRing,
    /// The file was not there before: whatever an older key sealed cannot be opened any more.
    pub created: bool,
}

/// Reads the key file, or makes it (mode 0600, in folders of mode 0700) if there is none.
///
/// Several processes may start at once: all get the same key, and exactly one of them says `created`.
///
/// # Errors
/// A file that others can read, that is broken or that cannot be reached. Such a file is never replaced.
pub fn load_or_create(path: &Path) -> Result<Keyed, KeyError> {
    let attempt = || match read(path)? {
        Some(keys) => Ok(Keyed { keys, created: false }),
        None => create(path),
    };
    attempt().map_err(KeyError::of(path))
}

/// Reads the key file; `None` when there is none.
///
/// # Errors
/// As [`load_or_create`].
pub fn load(path: &Path) -> Result<Option<KeyRing>, KeyError> {
    read(path).map_err(KeyError::of(path))
}

/// `None` when there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<KeyRing>, KeyFault> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound && !is_link(path) => return Ok(None),
        Err(error) => return Err(KeyFault::io("opening it")(error)),
    };
    // Asked of the open file, so that it cannot be exchanged between the check and the reading.
    let found = file.metadata().map_err(KeyFault::io("looking at it"))?;
    if !found.is_file() {
        return Err(KeyFault::NotAFile);
    }
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFault::Open(mode));
    }
    if found.len() > MAX_FILE {
        return Err(KeyFault::Broken("it is too long"));
    }
    let mut text = Zeroizing::new(String::with_capacity(
        usize::try_from(MAX_FILE).unwrap_or_default(),
    ));
    file.take(MAX_FILE)
        .read_to_string(&mut text)
        .map_err(|source| match source.kind() {
            ErrorKind::InvalidData => KeyFault::Broken("it is not text"),
            _ => KeyFault::io("reading it")(source),
        })?;
    KeyRing::from_text(&text).map(Some)
}

/// A dangling link is a key that has been put elsewhere and is not there: no reason to make another. Anything else found now was
/// made by another process since we looked.
fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink())
}

/// The folder the file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Writes a new key beside its place and links it there: a link is made only where nothing is, so
/// that of several processes one wins, and nobody ever sees half a file.
fn create(path: &Path) -> Result<Keyed, KeyFault> {
    let folder = folder_of(path);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(KeyFault::io("making its folder"))?;
    let draft = folder.join(format!("{DRAFT}{}.new", random_hex()?));
    let keys = KeyRing::of(ServerKey::draw()?);
    let written = write_durably(&draft, keys.to_text().as_bytes());
    let linked = written.and_then(|_| fs::hard_link(&draft, path));
    // The draft goes in any case; the key stays under its own name.
    let removed = fs::remove_file(&draft);
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let keys = read(path)?.ok_or(KeyFault::Broken("it vanished while it was being read"))?;
            return Ok(Keyed { keys, created: false });
        }
        Err(error) => return Err(KeyFault::io("making it")(error)),
    }
    removed.map_err(KeyFault::io("removing the draft beside it"))?;
    sync_folder(folder)?;
    Ok(Keyed { keys, created: true })
}

/// Puts other keys in place of those in the file, wholly or not at all, whenever the machine may stop. The file keeps its owner and
/// mode: who rotates as root must not lock the server out.
pub(super) fn replace(path: &Path, keys: &KeyRing) -> Result<(), KeyFault> {
    // Behind a link stands the file that is meant.
    let path = path.canonicalize().map_err(KeyFault::io("finding it"))?;
    let folder = folder_of(&path);
    let draft = folder.join(format!("{DRAFT}{}{NEXT}", random_hex()?));
    let old = fs::metadata(&path).map_err(KeyFault::io("looking at it"))?;
    let exchanged = write_durably(&draft, keys.to_text().as_bytes())
        .and_then(|file| {
            let new = file.metadata()?;
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                fchown(&file, Some(old.uid()), Some(old.gid()))?;
            }
            file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o700))?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&draft, &path));
    if let Err(error) = exchanged {
        // The old file stands; a draft that cannot be removed either harms nobody who cannot read it.
        let _ = fs::remove_file(&draft);
        return Err(KeyFault::io("replacing it")(error));
    }
    sync_folder(folder)
}

/// Removes what a process left that was killed while it replaced the file: keys lie in it. Only for whoever may replace it now.
pub(super) fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_draft = name
            .to_str()
            .is_some_and(|name| name.starts_with(DRAFT) && name.ends_with(NEXT));
        if is_draft {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> Result<(), KeyFault> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(KeyFault::io("making it durable"))
}

pub(super) fn write_durably(path: &Path, content: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(file)
}
