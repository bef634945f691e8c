//! The server's end of the socket.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use zeroize::Zeroizing;

use super::execute::{Refusal, execute};
use super::protocol::{Answer, LINE_WAIT, MAX_COMMAND, Reply, Request};
use super::socket::{MAX_PATH, Peers, path_beside, reach};
use super::{Operated, line};

/// Commands at a time.
const AT_ONCE: usize = 8;
/// Rest after the system gives no connection, so that a lasting fault does not burn a core.
const REST: Duration = Duration::from_millis(200);
/// How much, and for how long, is heard out of somebody who was refused while still speaking.
const LINGER_BYTES: usize = 16 * MAX_COMMAND;
/// As [`LINGER_BYTES`].
const LINGER: Duration = Duration::from_secs(1);

/// A socket that is listened at, until this is dropped. What was being carried out then is given up, as by a kill.
pub struct Listening {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        // One that stays is replaced by the next server.
        let _ = fs::remove_file(&self.path);
    }
}

/// Listens beside the key file from now on. Without a socket the server serves all the same: the log says why there is none.
pub async fn listen(operated: Operated) -> Option<Listening> {
    let path = path_beside(operated.keys.file());
    match bind(&path).await {
        Ok(listener) => {
            tracing::info!(socket = %path.display(), "control socket");
            let task = tokio::spawn(accept(listener, operated));
            Some(Listening { path, task })
        }
        Err(why) => {
            tracing::warn!(socket = %path.display(), %why, "the control socket is off: commands cannot reach this server");
            None
        }
    }
}

/// A socket of mode 0600 in place of one that a dead server left.
async fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.as_os_str().as_bytes().len() > MAX_PATH {
        let why = format!("the path is longer than {MAX_PATH} bytes, the most a socket may have");
        return Err(io::Error::new(ErrorKind::InvalidInput, why));
    }
    if reach(path).await?.is_some() {
        return Err(io::Error::new(
            ErrorKind::AddrInUse,
            "another server listens there",
        ));
    }
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path)?,
        Ok(_) => {
            let why = "something that is no socket stands there";
            return Err(io::Error::new(ErrorKind::AlreadyExists, why));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    // Who came in before this line is refused by its user id.
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn accept(listener: UnixListener, operated: Operated) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    // Dropped with this task, and all commands with it.
    let mut running = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Whoever waits for a place waits in the system's own queue.
                let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                    return;
                };
                let operated = operated.clone();
                running.spawn(async move {
                    let _place = place;
                    if let Err(error) = converse(stream, &operated).await {
                        tracing::debug!(%error, "a command was not answered");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket takes no connection");
                tokio::time::sleep(REST).await;
            }
        }
        while running.try_join_next().is_some() {}
    }
}

async fn converse(mut stream: UnixStream, operated: &Operated) -> io::Result<()> {
    let reply = Reply::from(answer(&mut stream, operated).await?);
    let text = Zeroizing::new(serde_json::to_vec(&reply)?);
    line::write(&mut stream, &text, LINE_WAIT).await?;
    line::hang_up(&mut stream, LINGER_BYTES, LINGER).await;
    Ok(())
}

/// What is to be answered; an error where nobody is left to answer to.
async fn answer(stream: &mut UnixStream, operated: &Operated) -> io::Result<Result<Answer, Refusal>> {
    let peers = Peers::of(stream)?;
    if !peers.are_one_user() {
        tracing::warn!(uid = peers.theirs, "a command of another user was refused");
        return Ok(Err(Refusal::new(
            "this server takes commands from its own user alone",
        )));
    }
    let line = match line::read(stream, MAX_COMMAND, Some(LINE_WAIT)).await {
        Ok(line) => line,
        Err(error) if error.kind() == ErrorKind::FileTooLarge => {
            return Ok(Err(Refusal::new("the command is too long")));
        }
        Err(error) => return Err(error),
    };
    let command = match Request::read(&line) {
        Ok(command) => command,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Some(limit) = command.time_limit() else {
        return Ok(execute(command, operated).await);
    };
    let done = tokio::time::timeout(limit, execute(command, operated)).await;
    Ok(done.unwrap_or_else(|_| {
        Err(Refusal::new(
            "it takes too long; it may or may not have been done",
        ))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_socket_is_the_owners_alone_and_replaces_a_dead_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portcullis.sock");
        drop(UnixListener::bind(&path).unwrap());
        let listener = bind(&path).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(reach(&path).await.unwrap().is_some());
        drop(listener);
    }

    #[tokio::test]
    async fn a_living_server_keeps_its_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portcullis.sock");
        let _first = bind(&path).await.unwrap();
        assert_eq!(bind(&path).await.unwrap_err().kind(), ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portcullis.sock");
        fs::write(&path, "precious").unwrap();
        assert!(bind(&path).await.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[tokio::test]
    async fn a_path_too_long_is_said_to_be() {
        let error = bind(&Path::new("/tmp").join("x".repeat(200))).await.unwrap_err();
        assert!(error.to_string().contains("longer than 107 bytes"), "{error}");
    }
}
