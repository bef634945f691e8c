//! The command line's end of the socket.

use std::io::{self, ErrorKind};
use std::path::Path;

use tokio::net::UnixStream;
use zeroize::Zeroizing;

use super::execute::Refusal;
use super::line;
use super::protocol::{Answer, Command, LINE_WAIT, MAX_ANSWER, Reply, Request};
use super::socket::{Peers, path_beside, reach};

/// A way to a running server. It takes one command.
pub struct Connection(UnixStream);

/// Finds the server that uses this key file, if it is running.
///
/// # Errors
/// It is running, but takes no commands from us.
pub async fn connect(key_file: &Path) -> Result<Option<Connection>, Refusal> {
    let path = path_beside(key_file);
    let not_ours = |error: io::Error| {
        Refusal::new(format!(
            "the control socket {} does not let us in ({error}): use the user that the server runs as",
            path.display()
        ))
    };
    let Some(stream) = reach(&path).await.map_err(not_ours)? else {
        return Ok(None);
    };
    // Checked before a secret goes out: nobody else may sit at the other end.
    let peers = Peers::of(&stream).map_err(not_ours)?;
    if !peers.are_one_user() {
        let theirs = peers.theirs;
        return Err(Refusal::new(format!(
            "the server runs as user {theirs} and takes commands from that user alone: use `sudo -u '#{theirs}'`"
        )));
    }
    Ok(Some(Connection(stream)))
}

impl Connection {
    /// Has a command carried out.
    ///
    /// # Errors
    /// The server's refusal, or that it went away.
    pub async fn ask(mut self, command: Command) -> Result<Answer, Refusal> {
        // The server keeps the time; we wait a little longer than it does.
        let wait = command.time_limit().map(|limit| limit + 2 * LINE_WAIT);
        let gone = |error: io::Error| match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Refusal::new(
                "the running server went away before it answered: look whether it was done, or ask again",
            ),
            _ => Refusal::new(format!("the running server does not answer: {error}")),
        };
        let line = serde_json::to_vec(&Request::new(command)).map_err(|error| gone(error.into()))?;
        let line = Zeroizing::new(line);
        line::write(&mut self.0, &line, LINE_WAIT).await.map_err(gone)?;
        let reply = line::read(&mut self.0, MAX_ANSWER, wait).await.map_err(gone)?;
        match serde_json::from_slice(&reply) {
            Ok(Reply::Done(answer)) => Ok(answer),
            Ok(Reply::Refused(why)) => Err(Refusal::new(why)),
            Err(_) => Err(Refusal::new(
                "the running server is of another version than this program: restart the server",
            )),
        }
    }
}
