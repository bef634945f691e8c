//! The bare servers: the very bytes that Portcullis answers, with no work behind them.
//!
//! `serve_loop` has what Portcullis has up to its handlers: our accept loop with its deadlines, one warp filter that takes a
//! request apart, one router. `serve_warp` is what a warp user would write: two path filters behind warp's own server. Both
//! know only the routes that are measured and look at no token.

use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_warp::serve::{Listener, Peer, ServeConfig};
use matchit::Router;
use tokio::runtime::{Builder, Runtime};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::reply::Response;

use crate::Fault;
use crate::wire::Answer;

/// The measured routes, as the router knows them, and the file that holds the answer.
pub const ROUTES: [(&str, &str); 2] = [
    ("/api/users/{id}", "own-record.http"),
    ("/auth/check", "auth-check.http"),
];

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// One recorded answer.
#[derive(Clone, Debug)]
struct Recorded {
    headers: HeaderMap,
    body: Bytes,
}

/// Serves the recorded answers behind Portcullis' own accept loop and a dispatcher of its shape, until it is killed.
pub fn serve_loop(answers: &Path) -> Result<(), Fault> {
    let mut router = Router::new();
    for (route, file) in ROUTES {
        router.insert(route, Recorded::read(&answers.join(file))?)?;
    }
    runtime()?.block_on(async {
        let config = ServeConfig {
            listen: vec![LOOPBACK],
            ..ServeConfig::default()
        };
        let listener = Listener::bind(config).await?;
        announce(listener.local_addrs().first().copied())?;
        let service = warp::service(dispatcher(Arc::new(router)));
        listener.run(service, std::future::pending()).await;
        Ok(())
    })
}

/// Serves the recorded answers as plain warp, until it is killed.
pub fn serve_warp(answers: &Path) -> Result<(), Fault> {
    let [own_record, auth_check] = ROUTES.map(|(_, file)| Recorded::read(&answers.join(file)));
    let (own_record, auth_check) = (own_record?, auth_check?);
    let own_record = warp::path!("api" / "Users" / String)
        .and(warp::get())
        .map(move |_: String| own_record.response());
    let auth_check = warp::path!("auth" / "check")
        .and(warp::get())
        .map(move || auth_check.response());
    runtime()?.block_on(async {
        let socket = tokio::net::TcpListener::bind(LOOPBACK).await?;
        announce(socket.local_addr().ok())?;
        warp::serve(own_record.or(auth_check))
            .incoming(socket)
            .run()
            .await;
        Ok(())
    })
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

fn announce(address: Option<SocketAddr>) -> Result<(), Fault> {
    let port = address.ok_or("no address")?.port();
    let mut out = io::stdout().lock();
    writeln!(out, "listening at http://localhost:{port}")?;
    Ok(out.flush()?)
}

/// The same parts of a request are taken and the same things are boxed as by Portcullis' own dispatcher: keep them alike.
fn dispatcher(router: Arc<Router<Recorded>>) -> BoxedFilter<(Response,)> {
    let raw_query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(warp::path::full())
        .and(raw_query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<Peer>())
        .and(warp::body::stream().map(boxed))
        .then(
            move |method: Method,
                  path: FullPath,
                  _query: String,
                  _headers: HeaderMap,
                  peer: Option<Peer>,
                  _body: BoxStream<'static, _>| {
                let router = Arc::clone(&router);
                async move {
                    let path = path.as_str().to_ascii_lowercase();
                    let known = method == Method::GET && peer.is_some();
                    let found = router.at(&path).ok().filter(|_| known);
                    found.map_or_else(not_found, |found| found.value.response())
                }
            },
        )
        .boxed()
}

fn boxed(
    body: impl futures_util::Stream<Item = Result<impl Buf, warp::Error>> + Send + 'static,
) -> BoxStream<'static, Result<Bytes, warp::Error>> {
    body.map(|chunk| {
        chunk.map(|mut chunk| {
            let length = chunk.remaining();
            chunk.copy_to_bytes(length)
        })
    })
    .boxed()
}

fn not_found() -> Response {
    let mut response = Response::new(Bytes::new().into());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

impl Recorded {
    fn read(file: &Path) -> Result<Self, Fault> {
        Self::parse(&fs::read(file)?)
    }

    /// Everything but what the HTTP library writes by itself.
    fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let answer = Answer::read(bytes)?.ok_or("half an answer was recorded")?;
        let mut headers = HeaderMap::new();
        for (name, value) in answer.fields() {
            let name = HeaderName::from_bytes(name)?;
            if ![CONTENT_LENGTH, DATE, CONNECTION].contains(&name) {
                headers.append(name, HeaderValue::from_bytes(value)?);
            }
        }
        Ok(Self {
            headers,
            body: Bytes::copy_from_slice(answer.body),
        })
    }

    fn response(&self) -> Response {
        let mut response = Response::new(self.body.clone().into());
        response.headers_mut().clone_from(&self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_answer_is_given_again_field_by_field() {
        let recorded = Recorded::parse(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: 1-2\r\ncontent-length: 2\r\n\
              date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n{}",
        )
        .unwrap();
        assert_eq!(recorded.body, "{}");
        let names: Vec<_> = recorded.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["content-type", "x-request-id"]);
    }

    #[test]
    fn half_an_answer_is_none() {
        assert!(Recorded::parse(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{").is_err());
    }
}
