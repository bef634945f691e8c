//! Request bodies: bounded in time for everybody, in size for whoever collects them.

use std::error::Error;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until, timeout, timeout_at};

/// What is still taken of an HTTP/2 body that the service did not want: bytes and time.
const UNWANTED_BYTES: usize = 256 * 1024;
const UNWANTED_TIME: Duration = Duration::from_secs(2);
/// Room made before the first byte came; the announced length is only a promise.
const FIRST_ROOM: usize = 16 * 1024;

/// A request body that ends with an error when it is not complete within its deadline.
///
/// The deadline counts from the request head, so neither a dripping client nor a filter that forgets its own
/// limit can hold a request open for ever.
#[derive(Debug)]
pub struct RequestBody {
    /// `None` once the deadline passed: nothing more is read.
    incoming: Option<Incoming>,
    deadline: Instant,
    /// Made only for a body that keeps us waiting; most arrive with their head.
    alarm: Option<Pin<Box<Sleep>>>,
    unwanted: Unwanted,
}

/// What happens to the rest of a body that the service did not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unwanted {
    /// hyper closes an HTTP/1.1 connection, and `wire.rs` sees to it that the answer survives.
    Leave,
    /// On HTTP/2 a reset of the stream may overtake the answer, so a bounded rest is taken in and thrown away.
    Discard,
}

/// Why a [`RequestBody`] ended early. Reaches a filter inside `warp::Error`, as its source.
#[derive(Debug, thiserror::Error)]
pub enum RequestBodyError {
    /// The body was not complete within [`super::ServeConfig::body_timeout`].
    #[error("the request body did not arrive in time")]
    TimedOut,
    /// The connection failed, or the bytes were no valid body.
    #[error("the request body broke off")]
    Broken(#[source] hyper::Error),
}

/// Why [`read_body`] gave no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Larger than allowed, announced or found out: 413.
    #[error("the request body is too large")]
    TooLarge,
    /// Not complete within the deadline: 408.
    #[error("the request body did not arrive in time")]
    TimedOut,
    /// The client or the connection failed, or the bytes were no valid body: 400.
    #[error("the request body broke off")]
    Broken,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, deadline: Instant, unwanted: Unwanted) -> Self {
        Self {
            incoming: Some(incoming),
            deadline,
            alarm: None,
            unwanted,
        }
    }

    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline;
        self.alarm
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)))
            .as_mut()
            .poll(cx)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let Some(incoming) = self.incoming.as_mut() else {
            return Poll::Ready(None);
        };
        if incoming.is_end_stream() {
            return Poll::Ready(None);
        }
        let frame = Pin::new(incoming).poll_frame(cx);
        // The clock is asked even when frames keep coming: a flood of empty ones is never pending.
        let late = match frame {
            Poll::Pending => self.poll_alarm(cx).is_ready(),
            Poll::Ready(_) => Instant::now() >= self.deadline,
        };
        if late {
            self.incoming = None;
            return Poll::Ready(Some(Err(RequestBodyError::TimedOut)));
        }
        frame.map(|ready| ready.map(|frame| frame.map_err(RequestBodyError::Broken)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if self.unwanted == Unwanted::Leave || self.is_end_stream() {
            return;
        }
        if let (Some(incoming), Ok(runtime)) = (self.incoming.take(), Handle::try_current()) {
            runtime.spawn(timeout(UNWANTED_TIME, discard(incoming)));
        }
    }
}

async fn discard(incoming: Incoming) {
    let mut left = UNWANTED_BYTES;
    let mut frames = http_body_util::BodyDataStream::new(incoming);
    while let Some(Ok(data)) = frames.next().await {
        match left.checked_sub(data.len().max(1)) {
            Some(less) => left = less,
            None => break,
        }
    }
}

/// Collects a request body of at most `limit` bytes within `within` from now.
///
/// `body` is what `warp::body::stream()` extracts; `headers` are the request's, for a body whose
/// Content-Length exceeds the limit is refused before a byte of it is read. The limit holds just as well for
/// bodies that announce nothing.
///
/// # Errors
/// [`BodyError`], each variant with the status it deserves.
pub async fn read_body<S, B, E>(
    body: S,
    headers: &HeaderMap,
    limit: usize,
    within: Duration,
) -> Result<Bytes, BodyError>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
    E: Error + 'static,
{
    let announced = announced_length(headers);
    if announced.is_some_and(|length| length > limit) {
        return Err(BodyError::TooLarge);
    }
    let room = announced.unwrap_or_default().min(FIRST_ROOM);
    timeout_at(Instant::now() + within, collect(body, limit, room))
        .await
        .unwrap_or(Err(BodyError::TimedOut))
}

/// The Content-Length, as large as can be when it is larger than that; `None` when none can be read.
fn announced_length(headers: &HeaderMap) -> Option<usize> {
    let length: u64 = headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()?;
    Some(usize::try_from(length).unwrap_or(usize::MAX))
}

async fn collect<S, B, E>(body: S, limit: usize, room: usize) -> Result<Bytes, BodyError>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
    E: Error + 'static,
{
    let mut body = pin!(body);
    // Most bodies are one chunk, which is taken as it is.
    let mut whole = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let mut chunk = chunk.map_err(|error| classify(&error))?;
        let fresh = chunk.remaining();
        if whole.len() + joined.len() + fresh > limit {
            return Err(BodyError::TooLarge);
        }
        if whole.is_empty() && joined.is_empty() {
            whole = chunk.copy_to_bytes(fresh);
            continue;
        }
        if joined.is_empty() {
            joined.reserve(room.max(whole.len() + fresh));
            joined.extend_from_slice(&std::mem::take(&mut whole));
        }
        joined.extend_from_slice(&chunk.copy_to_bytes(fresh));
    }
    Ok(if joined.is_empty() { whole } else { joined.freeze() })
}

fn classify(error: &(dyn Error + 'static)) -> BodyError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(RequestBodyError::TimedOut) = error.downcast_ref() {
            return BodyError::TimedOut;
        }
        cause = error.source();
    }
    BodyError::Broken
}

#[cfg(test)]
mod tests {
    use super::{BodyError, RequestBodyError, read_body};
    use bytes::Bytes;
    use futures_util::{Stream, StreamExt as _, stream};
    use http::{HeaderMap, HeaderValue, header::CONTENT_LENGTH};
    use std::time::Duration;

    const AMPLE: Duration = Duration::from_mins(1);

    fn chunks(parts: &[&'static str]) -> impl Stream<Item = Result<Bytes, RequestBodyError>> {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| Ok(Bytes::from_static(part.as_bytes())))
            .collect();
        stream::iter(parts)
    }

    fn announcing(length: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static(length))])
    }

    #[tokio::test]
    async fn chunks_are_joined_up_to_the_limit() {
        let none = HeaderMap::new();
        for (parts, expected) in [
            (&["abc", "", "de"][..], Ok(Bytes::from_static(b"abcde"))),
            (&["abcde"], Ok(Bytes::from_static(b"abcde"))),
            (&[], Ok(Bytes::new())),
            (&["abc", "def"], Err(BodyError::TooLarge)),
        ] {
            assert_eq!(
                read_body(chunks(parts), &none, 5, AMPLE).await,
                expected,
                "{parts:?}"
            );
        }
    }

    #[tokio::test]
    async fn an_announced_excess_is_refused_unread() {
        let unread = stream::pending::<Result<Bytes, RequestBodyError>>();
        let headers = announcing("99999999999999");
        assert_eq!(
            read_body(unread, &headers, 5, AMPLE).await,
            Err(BodyError::TooLarge)
        );
    }

    #[tokio::test]
    async fn a_late_body_is_told_from_a_broken_one() {
        let none = HeaderMap::new();
        let silent = chunks(&["a"]).chain(stream::pending());
        assert_eq!(
            read_body(silent, &none, 5, Duration::from_millis(10)).await,
            Err(BodyError::TimedOut)
        );
        let late = chunks(&["a"]).chain(stream::iter([Err(RequestBodyError::TimedOut)]));
        assert_eq!(read_body(late, &none, 5, AMPLE).await, Err(BodyError::TimedOut));
        let broken = stream::iter([Err::<Bytes, _>(std::io::Error::other("reset"))]);
        assert_eq!(read_body(broken, &none, 5, AMPLE).await, Err(BodyError::Broken));
    }
}
