//! One warp filter at the edge, one router behind it: a request costs the same whichever route it takes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::path::FullPath;

use crate::App;
use crate::cors;
use crate::extract::{Head, Request};
use crate::problem::{Problem, STEP_UP_REQUIRED};
use crate::reply::Reply;
use crate::serve::Peer;
use crate::telemetry::{self, RequestLine};

/// The whole site as one warp filter. It never rejects: what no route takes is a 404 in the site's own words.
pub fn filter(app: Arc<App>) -> BoxedFilter<(warp::reply::Response,)> {
    warp::method()
        .and(warp::path::full())
        .and(raw_query())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<Peer>())
        .and(warp::body::stream().map(boxed))
        .then(
            move |method: Method,
                  path: FullPath,
                  query: String,
                  headers: HeaderMap,
                  peer: Option<Peer>,
                  body| {
                let app = Arc::clone(&app);
                async move {
                    let id = telemetry::request_id(&headers);
                    let head = Head {
                        method,
                        path: path.as_str().to_owned(),
                        query,
                        headers,
                        id,
                    };
                    match peer {
                        Some(peer) => answer(Request::new(app, head, peer, body)).await.into_response(),
                        // Only our own accept loop names the peer; without it no limit could be kept.
                        None => Problem::internal("no peer address")
                            .into_reply(&head.id)
                            .into_response(),
                    }
                }
            },
        )
        .boxed()
}

fn raw_query() -> impl Filter<Extract = (String,), Error = Infallible> + Clone {
    warp::query::raw().or(warp::any().map(String::new)).unify()
}

fn boxed(
    body: impl futures_util::Stream<Item = Result<impl bytes::Buf, warp::Error>> + Send + 'static,
) -> BoxStream<'static, Result<Bytes, warp::Error>> {
    body.map(|chunk| {
        chunk.map(|mut chunk| {
            let length = chunk.remaining();
            chunk.copy_to_bytes(length)
        })
    })
    .boxed()
}

/// Routes one request, turns problems into answers, writes the request line.
async fn answer(request: Request) -> Reply {
    let begun = Instant::now();
    let app = Arc::clone(&request.app);
    let mut line = RequestLine::new(&request);
    let cors = cors::judge(&request);
    let is_head = request.method == Method::HEAD;
    let reply = match cors.preflight() {
        Some(reply) => reply,
        None => route(request, &mut line).await,
    };
    let mut reply = cors.dress(reply).finish(&line.id, app.settings.is_https());
    if is_head {
        reply.body = Bytes::new();
    }
    line.write(reply.status, begun.elapsed(), &app.metrics);
    reply
}

async fn route(mut request: Request, line: &mut RequestLine) -> Reply {
    let app = Arc::clone(&request.app);
    let id = request.id.clone();
    let found = app
        .routes
        .find(&request.method, &request.path)
        .or_entry(&app, &request.path);
    let wants_page = found.is_page() && crate::pages::is_wanted(&request.headers);
    let page = wants_page.then(|| request.path.clone());
    line.route = found.name();
    if found.is_page() {
        crate::pages::tell_who_acts(&mut request).await;
    }
    let pages = request.pages.clone();
    match found.call(request).await {
        Ok(reply) => reply,
        Err(problem) => {
            line.cause.clone_from(&problem.cause);
            match page {
                // A form that wants a fresh proof is sent again after it.
                Some(page) if problem.code == Some(STEP_UP_REQUIRED) => crate::pages::instead_of(&page),
                Some(_) if problem.status != StatusCode::NOT_MODIFIED => {
                    crate::pages::problem_page(&pages, &problem, &id)
                }
                _ => problem.into_reply(&id),
            }
        }
    }
}
