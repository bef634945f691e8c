//! What a request says: who asks, from where, with what. Each file answers one question.

pub mod access_token;
pub mod body;
mod client;
mod client_address;
pub mod cookies;
pub mod form;
pub mod json;
pub mod origin;
pub mod query;
pub mod signed;

pub use client::X_DEVICE_TOKEN;
use std::net::IpAddr;

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use domain::origin::Origin;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method};

use crate::App;
use crate::pages::render::Pages;
use crate::serve::{BodyError, Peer, read_body};

/// The body stream of a request, whatever carries it.
pub type BodyStream = BoxStream<'static, Result<bytes::Bytes, warp::Error>>;

/// One request, its body still unread. It travels through many hands, so what it holds stays where it is.
pub struct Request(Box<Parts>);

/// What a request holds.
pub struct Parts {
    /// The application it came to.
    pub app: Arc<App>,
    /// Method.
    pub method: Method,
    /// Path as sent, percent-encoded.
    pub path: String,
    /// Query as sent, without its `?`.
    pub query: String,
    /// Header fields.
    pub headers: HeaderMap,
    /// The socket's other end.
    pub peer: Peer,
    /// Where the request really came from.
    pub ip: IpAddr,
    /// Names the request in logs and answers.
    pub id: Arc<str>,
    /// The pages, as whoever asks sees them.
    pub pages: Pages,
    /// Most bytes of its body.
    body_limit: usize,
    /// Behind a lock that is never taken: a stream is not `Sync`, and handlers hold the request across awaits.
    body: Mutex<Option<BodyStream>>,
    /// Made when somebody asks for it: most requests are counted by nothing.
    origin: OnceLock<Origin>,
}

impl Request {
    /// A request with an unread body.
    pub fn new(app: Arc<App>, head: Head, peer: Peer, body: BodyStream) -> Self {
        let Head {
            method,
            path,
            query,
            headers,
            id,
        } = head;
        let ip = client_address::of(&headers, peer.addr.ip(), &app.settings.trusted_proxies);
        Self(Box::new(Parts {
            body_limit: app.settings.body_limit,
            pages: app.pages.clone(),
            app,
            method,
            path,
            query,
            headers,
            peer,
            ip,
            id,
            body: Mutex::new(Some(body)),
            origin: OnceLock::new(),
        }))
    }

    /// Where the request comes from and what it says of itself, as the services ask for it.
    pub fn origin(&self) -> &Origin {
        self.origin.get_or_init(|| client::of(self))
    }

    /// A header's value, if it is there once and is text.
    pub fn header(&self, name: &http::HeaderName) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(first)
    }

    /// Lets the body have so many bytes, where the settings do not let it have more anyway.
    pub fn allow_body(&mut self, bytes: usize) {
        self.body_limit = self.body_limit.max(bytes);
    }

    /// Reads the body, once, within the limits of the settings or what was allowed since. A second call finds it empty.
    pub async fn read_body(&mut self) -> Result<bytes::Bytes, BodyError> {
        match self.body.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            Some(body) => {
                read_body(
                    body,
                    &self.headers,
                    self.body_limit,
                    self.app.settings.body_timeout,
                )
                .await
            }
            None => Ok(bytes::Bytes::new()),
        }
    }
}

impl Deref for Request {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl DerefMut for Request {
    fn deref_mut(&mut self) -> &mut Parts {
        &mut self.0
    }
}

/// What stands before the body.
pub struct Head {
    /// Method.
    pub method: Method,
    /// Path as sent.
    pub path: String,
    /// Query as sent.
    pub query: String,
    /// Header fields.
    pub headers: HeaderMap,
    /// The request's name.
    pub id: Arc<str>,
}
