//! What can be wrong with a key file.

use std::io;
use std::path::{Path, PathBuf};

/// Why there is no key. The server must not start without one.
#[derive(Debug, thiserror::Error)]
#[error("key file {}: {fault}", path.display())]
pub struct KeyError {
    path: PathBuf,
    #[source]
    fault: KeyFault,
}

impl KeyError {
    /// Names the file.
    pub(super) fn of(path: &Path) -> impl Fn(KeyFault) -> Self {
        move |fault| Self {
            path: path.to_path_buf(),
            fault,
        }
    }
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
    /// There is none, and none may be made.
    #[error("there is none yet; the first start of the server makes it")]
    Missing,
    /// It holds as many keys as it may.
    #[error(
        "it holds {0} keys, because earlier rotations did not come to their end; find out why before you add another"
    )]
    Full(usize),
    /// No key of the file has the id that was named.
    #[error("no key in it has that id: `portcullis keys list` shows those it has")]
    Unknown,
    /// Somebody put another file in its place.
    #[error(
        "it no longer holds key {0}, which this server works with; put the right file back first: what that key sealed opens with it alone"
    )]
    Exchanged(String),
    /// The sealer does not take its keys.
    #[error(transparent)]
    Sealer(#[from] seal_local::SealerError),
    /// The signer does not take its keys.
    #[error(transparent)]
    Signer(#[from] sign_local::SignerError),
    /// Another process is at it.
    #[error("its keys are being rotated already")]
    Rotating,
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

impl KeyFault {
    /// Says what was tried when the system refused.
    pub(super) fn io(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
