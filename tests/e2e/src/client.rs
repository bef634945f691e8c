//! A client of the server, at an address of its own.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::browser::Browser;

/// Nothing the server does takes nearly this long.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Sends requests to one server from one address, with a token or without. Follows no redirect, keeps no cookie.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    forwarded: Option<String>,
}

impl Client {
    /// A client at 127.0.0.1 of whatever answers at an address: a balancer before several servers.
    pub fn of(base: &str) -> Self {
        Self::new(base.to_owned(), IpAddr::from([127, 0, 0, 1]))
    }

    /// A browser at the same address, with no cookie yet.
    pub fn browser(&self) -> Browser {
        Browser::new(self.clone())
    }

    pub(crate) fn new(base: String, from: IpAddr) -> Self {
        let http = reqwest::Client::builder()
            .local_address(from)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .expect("a client can be built");
        Self {
            http,
            base,
            token: None,
            forwarded: None,
        }
    }

    /// The same client with this token in `Authorization`.
    #[must_use]
    pub fn with(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same client as a proxy brings it from this address: for servers that trust one on this machine.
    #[must_use]
    pub fn behind(&self, address: &str) -> Self {
        Self {
            forwarded: Some(address.to_owned()),
            ..self.clone()
        }
    }

    /// A request to be dressed by hand; [`send`](Self::send) sends it.
    ///
    /// # Panics
    /// When the method is none.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(address) = &self.forwarded {
            request = request.header("X-Forwarded-For", address);
        }
        match &self.token {
            Some(token) => request.header("Authorization", token),
            None => request,
        }
    }

    /// A request to any address, without token.
    pub(crate) fn request_to(&self, method: Method, url: &str) -> RequestBuilder {
        self.http.request(method, url)
    }

    /// The server's address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Sends a request.
    ///
    /// # Panics
    /// When no answer comes: the server may refuse, but it always answers.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        self.try_send(request).await.expect("an answer")
    }

    /// Sends a request to a server that may be gone.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Reply> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        Ok(Reply {
            status,
            headers,
            text,
        })
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path)).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: impl Into<Value>) -> Reply {
        self.send(self.request("POST", path).json(&body.into())).await
    }

    /// `POST` of bytes as JSON.
    pub async fn post_raw(&self, path: &str, body: impl Into<Vec<u8>>) -> Reply {
        let request = self
            .request("POST", path)
            .header("Content-Type", "application/json");
        self.send(request.body(body.into())).await
    }

    /// `POST` of a form.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(self.request("POST", path).form(fields)).await
    }

    /// `PATCH` of JSON.
    pub async fn patch(&self, path: &str, body: impl Into<Value>) -> Reply {
        self.send(self.request("PATCH", path).json(&body.into())).await
    }

    /// `PUT` of JSON.
    pub async fn put(&self, path: &str, body: impl Into<Value>) -> Reply {
        self.send(self.request("PUT", path).json(&body.into())).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request("DELETE", path)).await
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub text: String,
}

impl Reply {
    /// The same answer, if it has this status.
    ///
    /// # Panics
    /// When it has another one: shows the body.
    #[must_use = "or say `.done()`"]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status, status,
            "unexpected status, with the body {}",
            self.text
        );
        self
    }

    /// Says that nothing more is wanted of an answer.
    pub fn done(self) {}

    /// The same answer, if it is a refusal with this status and code.
    ///
    /// # Panics
    /// When it is another one.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "in {}",
            self.text
        );
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A text in the body, by JSON pointer without its first slash; empty where there is none.
    pub fn at(&self, pointer: &str) -> String {
        let json = self.json();
        let value = json.pointer(&format!("/{pointer}"));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The error's code.
    pub fn code(&self) -> String {
        self.at("error/code")
    }

    /// The error's message.
    pub fn message(&self) -> String {
        self.at("error/message")
    }

    /// A header field; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
