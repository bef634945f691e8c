//! A connection that is read line by line.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection that gives out one line at a time, whatever came along with it.
///
/// So nobody can put answers in front of a TLS session: whatever stands behind the server's word to begin is still here then, and is
/// read as part of the handshake, which fails on it (the fault known as STARTTLS response injection).
#[derive(Debug)]
pub struct LineByLine {
    inner: TcpStream,
    held: VecDeque<u8>,
}

impl LineByLine {
    /// Over that connection.
    pub const fn new(inner: TcpStream) -> Self {
        Self {
            inner,
            held: VecDeque::new(),
        }
    }
}

impl AsyncRead for LineByLine {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.held.is_empty() {
            let mut space = [0_u8; 4096];
            let mut fresh = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut fresh))?;
            this.held.extend(fresh.filled());
        }
        let end = this.held.iter().position(|byte| *byte == b'\n');
        let line = end.map_or(this.held.len(), |end| end.saturating_add(1));
        let given: Vec<u8> = this.held.drain(..line.min(buf.remaining())).collect();
        buf.put_slice(&given);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineByLine {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for LineByLine {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn one_line_is_given_out_at_a_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut other, _) = listener.accept().await.unwrap();
        other
            .write_all(b"220 ready\r\n250 injected\r\nrest")
            .await
            .unwrap();
        drop(other);
        let mut stream = LineByLine::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut space = [0_u8; 100];
            let read = stream.read(&mut space).await.unwrap();
            if read == 0 {
                break;
            }
            lines.push(String::from_utf8(space[..read].to_vec()).unwrap());
        }
        assert_eq!(lines, ["220 ready\r\n", "250 injected\r\n", "rest"]);
    }
}
