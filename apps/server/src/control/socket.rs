//! Where the socket is, and who may speak through it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tokio::net::UnixStream;

/// Longest path of a socket on Linux: `sun_path` of unix(7) without its closing zero, in bytes.
pub const MAX_PATH: usize = 107;

const NAME: &str = "portcullis.sock";

/// Beside the key file: whoever may read one may speak through the other.
pub fn path_beside(key_file: &Path) -> PathBuf {
    key_file.with_file_name(NAME)
}

/// Connects, if somebody listens. A socket file that a dead server left is nobody.
///
/// # Errors
/// Somebody may be there, but we may not speak to them.
pub async fn reach(path: &Path) -> io::Result<Option<UnixStream>> {
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Some(stream)),
        // A path too long for a socket is one that no server listens at.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidInput
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether two processes belong to one user: the user id of the peer, which the kernel vouches for, and our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peers {
    /// Theirs.
    pub theirs: u32,
    /// Ours.
    pub ours: u32,
}

impl Peers {
    /// Asks the kernel (`SO_PEERCRED`, unix(7)): not what a peer says, but what it was when it connected.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn of(stream: &UnixStream) -> io::Result<Self> {
        // A socket pair of our own has ourselves at its other end.
        let (ourselves, _other) = UnixStream::pair()?;
        Ok(Self {
            theirs: stream.peer_cred()?.uid(),
            ours: ourselves.peer_cred()?.uid(),
        })
    }

    /// Whether they may speak to each other. Not even root may speak to a server of somebody else: files it makes on the way would
    /// not be the server's.
    pub const fn are_one_user(self) -> bool {
        self.theirs == self.ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_beside_the_key() {
        assert_eq!(
            path_beside(Path::new("data/keys/portcullis.key")),
            Path::new("data/keys/portcullis.sock")
        );
        assert_eq!(path_beside(Path::new("k")), Path::new("portcullis.sock"));
    }

    #[tokio::test]
    async fn only_one_and_the_same_user_is_one_user() {
        let (stream, _other) = UnixStream::pair().unwrap();
        let peers = Peers::of(&stream).unwrap();
        assert!(peers.are_one_user());
        let ours = peers.ours;
        assert!(
            !Peers {
                theirs: ours + 1,
                ours
            }
            .are_one_user()
        );
        assert!(
            !Peers {
                theirs: 0,
                ours: 1000
            }
            .are_one_user()
        );
    }

    #[tokio::test]
    async fn nobody_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        assert!(reach(&path).await.unwrap().is_none());
        drop(tokio::net::UnixListener::bind(&path).unwrap());
        assert!(
            path.exists() && reach(&path).await.unwrap().is_none(),
            "a dead socket is nobody"
        );
        assert!(
            reach(&folder.path().join("x".repeat(200)))
                .await
                .unwrap()
                .is_none()
        );
    }
}
