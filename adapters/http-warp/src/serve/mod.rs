//! The accept loop: HTTP by warp's filters, sockets by ourselves.
//!
//! `warp::serve` sets no header timer, bounds no connection and speaks no TLS, so a handful of slow clients
//! can hold it for ever. Here a warp filter is only the *service*; everything that touches a socket is ours:
//!
//! | Question | Answered in |
//! |---|---|
//! | Which numbers bound a connection? | [`ServeConfig`] in `config.rs` |
//! | Who may connect, and how many at once? | `connections.rs` |
//! | How are sockets bound, accepted, shut down? | `listener.rs`, `accept.rs` |
//! | Which certificate is shown, and when is it read again? | `tls.rs` |
//! | How is hyper set up, what does the filter get? | `http.rs` |
//! | When is a slow or silent connection cut off? | `activity.rs` (the rules), `drive.rs` (the clock) |
//! | Which HTTP/1.1 framing is refused? | `framing.rs` (the rules), `wire.rs` (the bytes) |
//! | Which requests does no filter see, and what if one panics? | `refusal.rs` |
//! | How is a request body bounded in size and time? | `body.rs` |
//!
//! The life of a connection: *accepted* (a slot is taken or the caller is turned away with 503) → *handshake*
//! (TLS only, in its own task, under a deadline) → *driven* (hyper, watched by one timer) → *ended*, by either
//! side, by a deadline, or by the drain of a shutdown. Nothing in it waits for another connection.
//!
//! ```no_run
//! use http_warp::serve::{Listener, Peer, ServeConfig};
//! use warp::Filter as _;
//!
//! # async fn example() -> Result<(), http_warp::serve::BindError> {
//! let listener = Listener::bind(ServeConfig::default()).await?;
//! let hello = warp::ext::get::<Peer>().map(|peer: Peer| format!("hello, {}", peer.addr.ip()));
//! let drained = listener.run(warp::service(hello), std::future::pending()).await;
//! # let _ = drained;
//! # Ok(())
//! # }
//! ```

mod accept;
mod activity;
mod body;
mod config;
mod connections;
mod drive;
mod framing;
mod http;
mod listener;
mod refusal;
mod tls;
mod wire;

use std::net::SocketAddr;

pub use body::{BodyError, RequestBody, RequestBodyError, read_body};
pub use config::{ServeConfig, TlsFiles};
pub use connections::{ConnectionCounts, Counters};
pub use http::WarpService;
pub use listener::{BindError, Drained, Listener};
pub use tls::TlsError;

/// Who is at the other end of the socket; in the extensions of every request.
///
/// Read it with `warp::ext::get::<Peer>()`: `warp::addr::remote()` knows only warp's own server and answers
/// `None` here. It is the *socket's* address, so behind a reverse proxy it is the proxy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Address of the socket's other end, IPv4-mapped IPv6 written as IPv4.
    pub addr: SocketAddr,
    /// Whether this connection is encrypted by our own TLS.
    pub tls: bool,
}
