//! The accept loop, met over real sockets on the loopback interface.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the exemption of tests does not reach their helpers"
)]

mod bounds;
mod deadlines;
mod framing;
mod lifetime;
mod refusals;
mod tls;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use http_warp::serve::{
    BindError, BodyError, ConnectionCounts, Counters, Drained, Listener, Peer, ServeConfig, TlsError,
    TlsFiles, read_body,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use warp::{Filter, Rejection, Reply, filters::BoxedFilter, path::FullPath};

/// Longer than anything here should take, so that a hang is a failure and not a stuck run.
const PATIENCE: Duration = Duration::from_secs(30);
/// A deadline of the server that a test waits for.
const SHORT: Duration = Duration::from_millis(300);
/// A deadline of the server that must not pass during a test.
const LONG: Duration = Duration::from_mins(5);
const BODY_LIMIT: usize = 1000;

/// Where a request to `/wait` stands still.
#[derive(Default)]
struct Gate {
    reached: Notify,
    open: Notify,
}

/// A running server; everything in it ends with the test's runtime.
struct Server {
    addr: SocketAddr,
    counters: Arc<Counters>,
    stop: oneshot::Sender<()>,
    run: JoinHandle<Drained>,
    gate: Arc<Gate>,
}

impl Server {
    async fn start(config: ServeConfig) -> Self {
        let listener = Listener::bind(config).await.unwrap();
        let addr = listener.local_addrs()[0];
        let counters = listener.counters();
        let gate = Arc::<Gate>::default();
        let (stop, stopped) = oneshot::channel();
        let service = warp::service(routes(Arc::clone(&gate)));
        let run = tokio::spawn(listener.run(service, async move {
            let _ = stopped.await;
        }));
        Self {
            addr,
            counters,
            stop,
            run,
            gate,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    /// Sends these bytes on a connection of their own and reads until the server closes it.
    async fn say(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        to_the_end(&mut stream).await
    }

    /// Waits until the counters say so.
    async fn until(&self, what: &str, holds: impl Fn(ConnectionCounts) -> bool) {
        let waiting = async {
            while !holds(self.counters.read()) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "{what}: {:?}", self.counters.read());
    }
}

/// Deadlines that never pass, so that each test shortens the one it is about.
fn config() -> ServeConfig {
    ServeConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        header_timeout: LONG,
        body_timeout: LONG,
        handshake_timeout: LONG,
        idle_timeout: LONG,
        write_timeout: LONG,
        drain_timeout: PATIENCE,
        tls_reload_interval: Duration::from_millis(50),
        ..ServeConfig::default()
    }
}

fn routes(gate: Arc<Gate>) -> BoxedFilter<(impl Reply,)> {
    let peer = warp::path!("peer")
        .and(warp::ext::get::<Peer>())
        .map(|peer: Peer| format!("{} {}", peer.addr.ip(), peer.tls).into_response());
    let echo = warp::path!("echo")
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .and_then(echo);
    let wait = warp::path!("wait").and_then(move || {
        let gate = Arc::clone(&gate);
        async move {
            gate.reached.notify_one();
            gate.open.notified().await;
            Ok::<_, Infallible>("waited".into_response())
        }
    });
    let huge = warp::path!("huge").map(|| vec![b'x'; 64 * 1024 * 1024].into_response());
    let broken = warp::path!("broken").then(|| async { panic!("a fault of ours") });
    let rest = warp::path::full().map(|path: FullPath| path.as_str().to_owned().into_response());
    let usual = peer.or(echo).unify().or(wait).unify().or(huge).unify();
    usual.or(broken).unify().or(rest).unify().boxed()
}

async fn echo(
    headers: HeaderMap,
    body: impl Stream<Item = Result<impl bytes::Buf, warp::Error>>,
) -> Result<warp::reply::Response, Rejection> {
    Ok(match read_body(body, &headers, BODY_LIMIT, LONG).await {
        Ok(body) => body.to_vec().into_response(),
        Err(BodyError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(BodyError::TimedOut) => StatusCode::REQUEST_TIMEOUT.into_response(),
        Err(BodyError::Broken) => StatusCode::BAD_REQUEST.into_response(),
    })
}

async fn to_the_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    // A reset is an end too; what came before it counts.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut text))
        .await
        .expect("the server never closed");
    String::from_utf8_lossy(&text).into_owned()
}

/// Sends a request and reads its answer, leaving the connection open.
async fn ask(stream: &mut TcpStream, path: &str, answer: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    expect(stream, answer).await;
}

/// Reads until the text came.
async fn expect(stream: &mut (impl AsyncRead + Unpin), answer: &str) {
    let mut text = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&text).contains(answer) {
            let mut piece = [0; 1024];
            let read = stream.read(&mut piece).await.unwrap();
            assert_ne!(read, 0, "closed after {:?}", String::from_utf8_lossy(&text));
            text.extend_from_slice(&piece[..read]);
        }
    };
    timeout(PATIENCE, reading).await.expect("no such answer");
}

/// Writes a byte now and then until the server has had enough.
async fn drip(stream: &mut (impl AsyncWrite + Unpin), byte: u8) {
    let dripping = async {
        while stream.write_all(&[byte]).await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, dripping)
        .await
        .expect("the server took every drop");
}
