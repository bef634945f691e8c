//! The bytes of a connection, watched on their way to and from hyper.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;
use super::framing::Framing;

/// What hyper reads in place of an ambiguous request: no position in HTTP/1.1 allows a NUL, and the empty
/// line makes hyper look at once. It answers 400 in its turn, after the answers it still owes, and closes.
const POISON: &[u8] = b"\0\r\n\r\n";

/// Unread bytes discarded after the last answer; enough for a client that sends its whole body before it reads.
const LINGER_BYTES: usize = 1024 * 1024;

/// A stream that tells its [`Activity`] what happens on it.
///
/// For HTTP/1.1 it also refuses ambiguous framing, and when hyper shuts down in the middle of a request it
/// *lingers*: closing a socket with unread bytes makes the kernel send a reset, which destroys the 413 or 400
/// on its way to the client.
#[derive(Debug)]
pub(super) struct Wire<T> {
    inner: T,
    activity: Arc<Activity>,
    /// `None` for HTTP/2, where frames leave nothing to guess.
    framing: Option<Framing>,
    head_open: bool,
    stalled: bool,
    /// The rest of [`POISON`] once a request was refused.
    poison: Option<&'static [u8]>,
    end: End,
}

/// How far the end of the connection has come.
#[derive(Clone, Copy, Debug)]
enum End {
    NotYet,
    /// Our side is closed; so many bytes of the other's are still discarded.
    Lingering(usize),
}

impl<T> Wire<T> {
    pub(super) fn http1(inner: T, activity: Arc<Activity>) -> Self {
        Self::new(inner, activity, Some(Framing::default()))
    }

    pub(super) fn http2(inner: T, activity: Arc<Activity>) -> Self {
        Self::new(inner, activity, None)
    }

    fn new(inner: T, activity: Arc<Activity>, framing: Option<Framing>) -> Self {
        Self {
            inner,
            activity,
            framing,
            head_open: false,
            stalled: false,
            poison: None,
            end: End::NotYet,
        }
    }

    /// Judges what was just read, which begins at `start`, and takes back what hyper must not see.
    fn judge(&mut self, buffer: &mut ReadBuf<'_>, start: usize) {
        let Some(framing) = &mut self.framing else { return };
        let fresh = buffer.filled().get(start..).unwrap_or_default();
        if let Err(at) = framing.follow(fresh) {
            tracing::debug!("a request with ambiguous framing is refused");
            buffer.set_filled(start + at);
            self.poison = Some(POISON);
            self.feed_poison(buffer);
        }
        let open = self.framing.as_ref().is_some_and(Framing::in_head);
        if open != self.head_open {
            self.head_open = open;
            self.activity.head(open);
        }
    }

    /// Gives as much of the poison as there is room for; when it is used up this reads as the end.
    fn feed_poison(&mut self, buffer: &mut ReadBuf<'_>) {
        if let Some(poison) = &mut self.poison {
            let (now, later) = poison.split_at(poison.len().min(buffer.remaining()));
            buffer.put_slice(now);
            *poison = later;
        }
    }

    fn wrote<R>(&mut self, outcome: Poll<R>) -> Poll<R> {
        let stalled = outcome.is_pending();
        if stalled != self.stalled {
            self.stalled = stalled;
            self.activity.stalled(stalled);
        }
        // HTTP/2 writes pings and acknowledgements for ever: there only answers count (see `http.rs`).
        if !stalled && self.framing.is_some() {
            self.activity.progress();
        }
        outcome
    }

    fn owes_linger(&self) -> bool {
        self.poison.is_some() || self.framing.as_ref().is_some_and(Framing::in_request)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Wire<T> {
    /// Discards what still comes, until the client closes, the budget is spent or the timer cuts.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let End::Lingering(left) = self.end {
            let mut scratch = [0; 4096];
            let mut scratch = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut self.inner).poll_read(cx, &mut scratch));
            let got = scratch.filled().len();
            if read.is_err() || got == 0 || got >= left {
                break;
            }
            self.end = End::Lingering(left - got);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.poison.is_some() {
            self.feed_poison(buffer);
            return Poll::Ready(Ok(()));
        }
        let start = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        self.judge(buffer, start);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.wrote(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // TLS takes bytes into its own buffer: for it a client that reads nothing shows only here.
        let outcome = Pin::new(&mut self.inner).poll_flush(cx);
        if outcome.is_pending() || self.stalled {
            self.wrote(outcome)
        } else {
            outcome
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let End::NotYet = self.end {
            ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
            if !self.owes_linger() {
                return Poll::Ready(Ok(()));
            }
            self.end = End::Lingering(LINGER_BYTES);
            self.activity.lingering();
        }
        self.poll_linger(cx)
    }
}
