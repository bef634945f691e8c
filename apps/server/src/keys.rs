//! The key file: one secret of 32 bytes from which the server derives what it must keep to itself.
//!
//! The file is text of three lines, so that an operator can recognise, copy and back it up:
//!
//! ```text
//! portcullis-key 1
//! id 5f0c6a1e9b3d7724
//! key BASE64 OF 32 BYTES
//! ```

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Length of the key, in bytes.
pub const KEY_LENGTH: usize = 32;

const FORMAT: &str = "portcullis-key";
const VERSION: &str = "1";
const ID_LENGTH: usize = 8;
/// A key file has about 90 bytes; a larger file is something else.
const MAX_FILE: u64 = 1024;

/// The server's key. `Debug` shows the id alone; dropping it wipes the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerKey {
    id: String,
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
}

impl ServerKey {
    /// Name of the key, not secret: sixteen hexadecimal digits, drawn at random with the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key itself. Never use it directly: derive one key per purpose.
    pub fn bytes(&self) -> &Zeroizing<[u8; KEY_LENGTH]> {
        &self.bytes
    }

    fn draw() -> Result<Self, KeyFault> {
        let mut bytes = Zeroizing::new([0_u8; KEY_LENGTH]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| KeyFault::NoEntropy)?;
        Ok(Self {
            id: random_hex()?,
            bytes,
        })
    }

    fn to_text(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(STANDARD.encode(self.bytes.as_slice()));
        Zeroizing::new(format!("{FORMAT} {VERSION}\nid {}\nkey {}\n", self.id, *key))
    }

    fn from_text(text: &str) -> Result<Self, KeyFault> {
        let mut lines = text.lines();
        let mut field = |name: &str| {
            let (found, value) = lines.next()?.split_once(' ')?;
            (found == name).then_some(value)
        };
        let version = field(FORMAT).ok_or(KeyFault::Broken("its first line is not `portcullis-key 1`"))?;
        if version != VERSION {
            return Err(KeyFault::Newer);
        }
        let id = field("id")
            .filter(|id| is_id(id))
            .ok_or(KeyFault::Broken("its second line holds no id"))?;
        let bytes = field("key").and_then(decode_key).ok_or(KeyFault::Broken(
            "its third line holds no key of 32 bytes in base64",
        ))?;
        if lines.next().is_some() {
            return Err(KeyFault::Broken("it has more than three lines"));
        }
        Ok(Self {
            id: id.to_owned(),
            bytes,
        })
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A key, and whether this process made it.
#[derive(Debug)]
pub struct Keyed {
    /// The key.
    pub key: ServerKey,
    /// The file was not there before: whatever an older key sealed cannot be opened any more.
    pub created: bool,
}

/// Why there is no key. The server must not start without one.
#[derive(Debug, thiserror::Error)]
#[error("key file {}: {fault}", path.display())]
pub struct KeyError {
    path: PathBuf,
    #[source]
    fault: KeyFault,
}

/// What is wrong with a key file.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// Group or others have rights.
    #[error(
        "other users of this machine have access to it (mode {0:03o}); run chmod 600 on it, and consider the key known"
    )]
    Open(u32),
    /// The content is not a key file's.
    #[error("it is broken: {0}. Restore it from a backup; a new key could not open what the old one sealed")]
    Broken(&'static str),
    /// A later version wrote it.
    #[error("a newer version of Portcullis wrote it")]
    Newer,
    /// It is a folder, a device or the like.
    #[error("it is not a regular file")]
    NotAFile,
    /// The system gives no randomness.
    #[error("the system gives no random bytes")]
    NoEntropy,
    /// The file system refuses.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Reads the key file, or makes it (mode 0600, in folders of mode 0700) if there is none.
///
/// Several processes may start at once: all get the same key, and exactly one of them says `created`.
///
/// # Errors
/// A file that others can read, that is broken or that cannot be reached. Such a file is never replaced.
pub fn load_or_create(path: &Path) -> Result<Keyed, KeyError> {
    let attempt = || match load(path)? {
        Some(key) => Ok(Keyed { key, created: false }),
        None => create(path),
    };
    attempt().map_err(|fault| KeyError {
        path: path.to_path_buf(),
        fault,
    })
}

/// `None` when there is no such file.
fn load(path: &Path) -> Result<Option<ServerKey>, KeyFault> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound && !is_link(path) => return Ok(None),
        Err(source) => {
            return Err(KeyFault::Io {
                doing: "opening it",
                source,
            });
        }
    };
    // Asked of the open file, so that it cannot be exchanged between the check and the reading.
    let found = file.metadata().map_err(|source| KeyFault::Io {
        doing: "looking at it",
        source,
    })?;
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
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_FILE)
        .read_to_string(&mut text)
        .map_err(|source| match source.kind() {
            ErrorKind::InvalidData => KeyFault::Broken("it is not text"),
            _ => KeyFault::Io {
                doing: "reading it",
                source,
            },
        })?;
    ServerKey::from_text(&text).map(Some)
}

/// A dangling link is a key that has been put elsewhere and is not there: no reason to make another. Anything else found now was
/// made by another process since we looked.
fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink())
}

/// Writes a new key beside its place and links it there: a link is made only where nothing is, so
/// that of several processes one wins, and nobody ever sees half a file.
fn create(path: &Path) -> Result<Keyed, KeyFault> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let io = |doing| move |source| KeyFault::Io { doing, source };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(io("making its folder"))?;
    let draft = folder.join(format!(".portcullis-key-{}.new", random_hex()?));
    let key = ServerKey::draw()?;
    let written = write_durably(&draft, key.to_text().as_bytes());
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    // The draft goes in any case; the key stays under its own name.
    let removed = fs::remove_file(&draft);
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let key = load(path)?.ok_or(KeyFault::Broken("it vanished while it was being read"))?;
            return Ok(Keyed { key, created: false });
        }
        Err(source) => {
            return Err(KeyFault::Io {
                doing: "making it",
                source,
            });
        }
    }
    removed.map_err(io("removing the draft beside it"))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(io("making it durable"))?;
    Ok(Keyed { key, created: true })
}

fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn random_hex() -> Result<String, KeyFault> {
    let mut bytes = [0_u8; ID_LENGTH];
    getrandom::fill(&mut bytes).map_err(|_| KeyFault::NoEntropy)?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

fn decode_key(encoded: &str) -> Option<Zeroizing<[u8; KEY_LENGTH]>> {
    let decoded = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    decoded.as_slice().try_into().ok().map(Zeroizing::new)
}

fn is_id(text: &str) -> bool {
    text.len() == 2 * ID_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
