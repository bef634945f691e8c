//! The front door: the next caller, and the polite word for those who cannot come in.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::connections::Counters;

/// Pauses after the system had no socket to give; doubled each time up to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What is still taken from the system's queues at a shutdown. Linux queues no more than 4096 per socket unless told otherwise.
const LAST_CALLERS: usize = 4096;
const LAST_TIME: Duration = Duration::from_millis(250);

/// Callers turned away with a word at the same time; in a flood the rest are just hung up on.
const WORDS_AT_ONCE: usize = 64;
const WORD_TIME: Duration = Duration::from_secs(1);
/// What may be read of a caller's request only to keep our word from being torn away by a reset.
const WORD_READ: u64 = 16 * 1024;
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Connection: close\r\n\
    Retry-After: 5\r\n\
    Cache-Control: no-store\r\n\
    Content-Type: application/json; charset=utf-8\r\n\
    Content-Length: 106\r\n\
    \r\n\
    {\"error\":{\"statusCode\":503,\"name\":\"Error\",\"message\":\"Too many connections\",\"code\":\"TOO_MANY_CONNECTIONS\"}}";

/// All listening sockets as one.
#[derive(Debug)]
pub(super) struct Door {
    sockets: Vec<TcpListener>,
    /// Where to look first, so that a busy socket does not starve the others.
    next: usize,
    pause: Duration,
    counters: Arc<Counters>,
}

impl Door {
    pub(super) fn new(sockets: Vec<TcpListener>, counters: Arc<Counters>) -> Self {
        Self {
            sockets,
            next: 0,
            pause: FIRST_PAUSE,
            counters,
        }
    }

    /// The next caller. May be dropped and called again at any time.
    pub(super) async fn next(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match poll_fn(|cx| self.poll_accept(cx)).await {
                Ok(caller) => {
                    self.pause = FIRST_PAUSE;
                    return caller;
                }
                // The caller's own doing; the next one may be fine.
                Err(error) if gone_already(&error) => {}
                // Out of files or memory. The caller still waits in the queue, so trying at once would spin.
                Err(error) => {
                    self.counters.accept_failed();
                    tracing::error!(%error, "no socket for a new connection; pausing");
                    let pause = self.pause;
                    self.pause = (pause * 2).min(LONGEST_PAUSE);
                    sleep(pause).await;
                }
            }
        }
    }

    /// Closes the door, and receives those who stood before it: the system has let them in already, and to close a socket
    /// resets its whole queue. Takes a bounded number within a bounded time, for the queue may be filled again meanwhile.
    pub(super) fn close(self, mut receive: impl FnMut(TcpStream, SocketAddr)) {
        let end = Instant::now() + LAST_TIME;
        let mut left = LAST_CALLERS;
        for socket in self.sockets {
            // Tokio asks the system only after the system announced somebody, which may not have been heard yet.
            let Ok(socket) = socket.into_std() else { continue };
            while left > 0 && Instant::now() < end {
                left -= 1;
                match last_caller(&socket) {
                    Ok((stream, addr)) => receive(stream, addr),
                    Err(error) if gone_already(&error) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => {
                        self.counters.accept_failed();
                        tracing::error!(%error, "no socket for a connection that waited at the shutdown");
                        break;
                    }
                }
            }
        }
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let (later, first) = self.sockets.split_at(self.next.min(self.sockets.len()));
        for socket in first.iter().chain(later) {
            if let Poll::Ready(outcome) = socket.poll_accept(cx) {
                self.next = (self.next + 1) % self.sockets.len().max(1);
                return Poll::Ready(outcome);
            }
        }
        Poll::Pending
    }
}

/// The next in the queue, without waiting for one.
fn last_caller(socket: &std::net::TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, addr) = socket.accept()?;
    stream.set_nonblocking(true)?;
    Ok((TcpStream::from_std(stream)?, addr))
}

fn gone_already(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// Turns callers away.
#[derive(Debug)]
pub(super) struct Doorman {
    words: Arc<Semaphore>,
}

impl Doorman {
    pub(super) fn new() -> Self {
        Self {
            words: Arc::new(Semaphore::new(WORDS_AT_ONCE)),
        }
    }

    /// Answers 503 and hangs up. A caller who expects TLS is hung up on at once: it could not read the word.
    pub(super) fn turn_away(&self, stream: TcpStream, tls: bool) {
        if tls {
            return;
        }
        if let Ok(permit) = Arc::clone(&self.words).try_acquire_owned() {
            tokio::spawn(async move {
                let _permit = permit;
                let _ = timeout(WORD_TIME, say_full(stream)).await;
            });
        }
    }
}

async fn say_full(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(FULL).await?;
    stream.shutdown().await?;
    let mut ignored = tokio::io::sink();
    tokio::io::copy(&mut stream.take(WORD_READ), &mut ignored)
        .await
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::FULL;

    #[test]
    fn the_word_is_as_long_as_it_says() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("Content-Length: {}", body.len())),
            "{}",
            body.len()
        );
        assert!(!head.contains("  "), "no indentation slipped into the head");
    }
}
