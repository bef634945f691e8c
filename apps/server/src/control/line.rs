//! Lines over a stream: bounded in length and in time.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use zeroize::Zeroizing;

const CHUNK: usize = 8 * 1024;

/// Reads up to the first line break, or to the end of the stream. What follows the line break is dropped.
///
/// # Errors
/// [`ErrorKind::FileTooLarge`] beyond `most` bytes, [`ErrorKind::UnexpectedEof`] when nothing comes, [`ErrorKind::TimedOut`], and what
/// the system says.
pub async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    most: usize,
    wait: Option<Duration>,
) -> Result<Zeroizing<Vec<u8>>> {
    within(wait, read_line(stream, most)).await
}

async fn read_line(stream: &mut (impl AsyncRead + Unpin), most: usize) -> Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::new());
    let mut chunk = Zeroizing::new(vec![0_u8; CHUNK]);
    loop {
        let length = stream.read(chunk.as_mut_slice()).await?;
        let read = chunk.get(..length).unwrap_or_default();
        let end = read.iter().position(|byte| *byte == b'\n');
        line.extend_from_slice(read.get(..end.unwrap_or(length)).unwrap_or_default());
        if line.len() > most {
            return Err(Error::from(ErrorKind::FileTooLarge));
        }
        if end.is_some() {
            return Ok(line);
        }
        if length == 0 {
            return Err(Error::from(ErrorKind::UnexpectedEof));
        }
    }
}

/// Writes a line.
///
/// # Errors
/// [`ErrorKind::TimedOut`], and what the system says.
pub async fn write(stream: &mut (impl AsyncWrite + Unpin), line: &[u8], wait: Duration) -> Result<()> {
    within(Some(wait), async {
        stream.write_all(line).await?;
        stream.write_all(b"\n").await?;
        stream.flush().await
    })
    .await
}

/// Ends the conversation. What the other side still says is heard and dropped, within bounds: a stream closed over unread bytes
/// takes the last answer with it.
pub async fn hang_up(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), most: usize, wait: Duration) {
    let ending = async {
        stream.shutdown().await?;
        let mut chunk = Zeroizing::new(vec![0_u8; CHUNK]);
        let mut heard = 0;
        while heard < most {
            match stream.read(chunk.as_mut_slice()).await? {
                0 => break,
                more => heard += more,
            }
        }
        Ok(())
    };
    // Whoever does not end either is left alone.
    let _ = within(Some(wait), ending).await;
}

async fn within<T>(wait: Option<Duration>, work: impl Future<Output = Result<T>>) -> Result<T> {
    match wait {
        None => work.await,
        Some(wait) => timeout(wait, work)
            .await
            .unwrap_or_else(|_| Err(Error::from(ErrorKind::TimedOut))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Option<Duration> = Some(Duration::from_secs(5));

    async fn heard(said: &'static [u8], most: usize) -> Result<Vec<u8>> {
        let (mut ours, mut theirs) = tokio::io::duplex(64);
        let saying = tokio::spawn(async move { theirs.write_all(said).await });
        let line = read(&mut ours, most, SOON).await;
        drop(ours);
        let _ = saying.await;
        line.map(|line| line.to_vec())
    }

    #[tokio::test]
    async fn a_line_ends_at_its_break() {
        assert_eq!(heard(b"one\ntwo\n", 100).await.unwrap(), b"one");
        assert_eq!(heard(b"\n", 100).await.unwrap(), b"");
    }

    #[tokio::test]
    async fn a_line_without_its_break_is_none() {
        assert_eq!(
            heard(b"one", 100).await.unwrap_err().kind(),
            ErrorKind::UnexpectedEof
        );
        assert_eq!(
            heard(b"", 100).await.unwrap_err().kind(),
            ErrorKind::UnexpectedEof
        );
    }

    #[tokio::test]
    async fn a_line_beyond_its_bound_is_not_read_to_its_end() {
        assert_eq!(
            heard(&[b'x'; 4096], 10).await.unwrap_err().kind(),
            ErrorKind::FileTooLarge
        );
    }

    #[tokio::test]
    async fn silence_ends_the_wait() {
        let (mut ours, _theirs) = tokio::io::duplex(64);
        let heard = read(&mut ours, 10, Some(Duration::from_millis(10))).await;
        assert_eq!(heard.unwrap_err().kind(), ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_does_not_listen_is_not_waited_for() {
        let (mut ours, _theirs) = tokio::io::duplex(8);
        let written = write(&mut ours, &[0; 100], Duration::from_millis(10)).await;
        assert_eq!(written.unwrap_err().kind(), ErrorKind::TimedOut);
    }
}
