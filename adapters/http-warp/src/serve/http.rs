//! How hyper is set up, and what a filter gets to see.

use std::convert::Infallible;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Either};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::{Service as HyperService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;
use tower::{Service, ServiceExt as _};

use super::Peer;
use super::activity::{Activity, Grants};
use super::body::{RequestBody, Unwanted};
use super::config::ServeConfig;
use super::drive::{Ended, drive};
use super::refusal::{FAULT, Refusal, announce_close};
use super::wire::Wire;

/// hyper's read buffer per HTTP/1.1 connection; it must hold a head, and hyper insists on 8 KiB.
const MIN_BUFFER: usize = 64 * 1024;
/// Flow-control windows: what a client may send ahead of our reading, per stream and per connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// An HTTP/2 client that vanished is found out within the sum of these.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_ANSWER: Duration = Duration::from_secs(10);

/// Any error a body may end with.
type BoxError = Box<dyn Error + Send + Sync>;

/// What [`super::Listener::run`] serves; `warp::service(filter)` is one.
///
/// Implemented for every tower service of this shape, and not to be implemented by hand.
pub trait WarpService:
    Service<
        Request<RequestBody>,
        Response = Response<Self::Reply>,
        Error = Infallible,
        Future: Send + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
    /// The body of an answer.
    type Reply: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;
}

impl<S, B> WarpService for S
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Reply = B;
}

/// The two protocols, set up once.
#[derive(Debug)]
pub(super) struct Http {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    grants: Grants,
    body_timeout: Duration,
}

/// What is the same for all requests of a connection.
struct Connection<S> {
    service: S,
    peer: Peer,
    activity: Arc<Activity>,
    body_timeout: Duration,
    unwanted: Unwanted,
    drain: watch::Receiver<bool>,
}

impl Http {
    pub(super) fn new(config: &ServeConfig) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            // A second lock on the door: hyper counts the rest before a head as part of it, our own timer
            // (`drive.rs`) does not. Without a `TokioTimer` this setting would do nothing.
            .header_read_timeout(config.header_timeout + config.idle_timeout)
            // At most 100 fields: hyper's own bound while nothing else is said.
            .max_header_size(config.max_header_bytes)
            .max_buf_size(config.max_header_bytes.max(MIN_BUFFER));
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            // Floods of resets and of CONTINUATION frames are bounded inside h2 by its own defaults.
            .max_concurrent_streams(config.max_streams)
            .max_header_list_size(u32::try_from(config.max_header_bytes).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_ANSWER);
        Self {
            http1,
            http2,
            grants: Grants::from(config),
            body_timeout: config.body_timeout,
        }
    }

    /// Serves HTTP/1.1 and nothing else: an HTTP/2 preface is not spoken to.
    pub(super) async fn serve_http1<T, S>(
        &self,
        stream: T,
        service: S,
        peer: Peer,
        drain: watch::Receiver<bool>,
    ) -> Ended
    where
        T: AsyncRead + AsyncWrite + Unpin + 'static,
        S: WarpService,
    {
        let connection = self.connection(service, peer, Unwanted::Leave, drain.clone());
        let activity = Arc::clone(&connection.activity);
        let wire = TokioIo::new(Wire::http1(stream, Arc::clone(&activity)));
        drive(
            self.http1.serve_connection(wire, connection.answering()),
            &activity,
            drain,
        )
        .await
    }

    /// Serves HTTP/2, which was agreed upon in the TLS handshake.
    pub(super) async fn serve_http2<T, S>(
        &self,
        stream: T,
        service: S,
        peer: Peer,
        drain: watch::Receiver<bool>,
    ) -> Ended
    where
        T: AsyncRead + AsyncWrite + Unpin + 'static,
        S: WarpService,
    {
        let connection = self.connection(service, peer, Unwanted::Discard, drain.clone());
        let activity = Arc::clone(&connection.activity);
        let wire = TokioIo::new(Wire::http2(stream, Arc::clone(&activity)));
        drive(
            self.http2.serve_connection(wire, connection.answering()),
            &activity,
            drain,
        )
        .await
    }

    fn connection<S>(
        &self,
        service: S,
        peer: Peer,
        unwanted: Unwanted,
        drain: watch::Receiver<bool>,
    ) -> Connection<S> {
        let activity = Activity::new(self.grants);
        Connection {
            service,
            peer,
            activity,
            body_timeout: self.body_timeout,
            unwanted,
            drain,
        }
    }
}

impl<S: WarpService> Connection<S> {
    /// The service as hyper wants it: spared what it must not see, with the peer attached, the body under its deadline, every
    /// step noted in the connection's record, and a panic answered like any other fault.
    fn answering(
        self,
    ) -> impl HyperService<
        Request<Incoming>,
        Response = Response<impl Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static>,
        Error = Infallible,
        Future: Send + 'static,
    > {
        service_fn(move |request: Request<Incoming>| {
            let running = self.activity.begin();
            let (method, version) = (request.method().clone(), request.version());
            let refusal = Refusal::of(&request);
            let deadline = Instant::now() + self.body_timeout;
            let mut request = request.map(|body| RequestBody::new(body, deadline, self.unwanted));
            request.extensions_mut().insert(self.peer);
            let answer = self.service.clone().oneshot(request);
            let activity = Arc::clone(&self.activity);
            let drain = self.drain.clone();
            async move {
                let served = match refusal {
                    Some(refusal) => Err(refusal),
                    // What the filter shares with other requests is behind locks that outlive a panic.
                    None => AssertUnwindSafe(answer).catch_unwind().await.map_err(|_| {
                        // The path may hold a token, the panic's own words anything.
                        tracing::error!(%method, "a request handler panicked; answered with 500");
                        FAULT
                    }),
                };
                let mut answer = match served {
                    Ok(answer) => answer?.map(Either::Left),
                    Err(refusal) => refusal.answer(&method, version).map(Either::Right),
                };
                drop(running);
                if *drain.borrow() {
                    announce_close(&mut answer, version);
                }
                let noted = move |_: &_| activity.progress();
                Ok(answer.map(|body| body.inspect_frame(noted)))
            }
        })
    }
}
