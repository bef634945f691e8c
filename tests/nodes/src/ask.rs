//! Requests to servers that may be failing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use e2e::{Browser, Client, Reply};
use reqwest::RequestBuilder;
use serde_json::Value;

use crate::book::Book;

/// Nobody waits longer: what has not answered by then hangs. Far more than the five seconds a server allows itself, since the
/// machine of a test may be busy; the book says how long the slowest took.
const HANGS: Duration = Duration::from_secs(20);

/// What became of a request.
#[derive(Debug)]
pub enum Answer {
    /// Done and acknowledged.
    Done(Reply),
    /// Refused: 4xx.
    Refused(Reply),
    /// 503 with `Retry-After`: not done, or not known to be done.
    Away,
    /// The connection broke: nobody knows.
    Unknown,
}

/// Somebody who asks, and writes down what they hear.
#[derive(Clone)]
pub struct Asker {
    client: Client,
    book: Arc<Book>,
}

impl Asker {
    /// Somebody at the balancer.
    pub const fn new(client: Client, book: Arc<Book>) -> Self {
        Self { client, book }
    }

    /// The book of promises.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The same book, for somebody else.
    pub fn shared_book(&self) -> Arc<Book> {
        Arc::clone(&self.book)
    }

    /// A browser at the same place.
    pub fn browser(&self) -> Browser {
        self.client.browser()
    }

    /// The same, with a token.
    #[must_use]
    pub fn with(&self, token: &str) -> Self {
        Self {
            client: self.client.with(token),
            book: Arc::clone(&self.book),
        }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(path, self.client.request("GET", path)).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(path, self.client.request("POST", path).json(body))
            .await
    }

    /// `PATCH` of JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(path, self.client.request("PATCH", path).json(body))
            .await
    }

    async fn send(&self, path: &str, request: RequestBuilder) -> Answer {
        let begun = Instant::now();
        let answer = self.client.try_send(request.timeout(HANGS)).await;
        self.book.took(begun.elapsed());
        match answer {
            Ok(reply) => self.judge(path, reply),
            Err(error) if error.is_timeout() => {
                self.book.wrong(format!("{path} hangs"));
                Answer::Unknown
            }
            Err(_) => {
                self.book.count("unanswered");
                Answer::Unknown
            }
        }
    }

    fn judge(&self, path: &str, reply: Reply) -> Answer {
        match reply.status {
            200..=299 => {
                self.book.count("acknowledged");
                Answer::Done(reply)
            }
            400..=499 => Answer::Refused(reply),
            503 if !reply.header("Retry-After").is_empty() => {
                self.book.count("unavailable");
                Answer::Away
            }
            // The balancer's word for a node that died with the request.
            502 if reply.header("X-Request-Id").is_empty() => {
                self.book.count("unanswered");
                Answer::Unknown
            }
            status => {
                self.book
                    .wrong(format!("{path} answers {status}: {}", reply.text));
                Answer::Unknown
            }
        }
    }
}
