//! Answers: a status, headers, a body, and the headers that every answer carries.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE,
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use crate::pages::render::CONTENT_SECURITY_POLICY;
use crate::telemetry::X_REQUEST_ID;

/// Header fields that most answers have; room for more is twice the memory.
const USUAL_FIELDS: usize = 6;

/// An answer on its way out.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Reply {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::with_capacity(USUAL_FIELDS),
            body: Bytes::new(),
        }
    }

    /// 204, LoopBack's answer of void methods.
    pub fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// A JSON answer. Never kept by caches: it may hold tokens and records (RFC 6749 section 5.1).
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::bytes(status, "application/json; charset=utf-8", body),
            // Only a map whose keys are no strings has no JSON form, and no answer holds one.
            Err(_) => Self::empty(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// A page: no script, nothing from elsewhere, in nobody's frame. Its paths may hold tokens, so none ever leaves in `Referer`;
    /// but under `no-referrer` a browser would send its forms with `Origin: null`, and they could not be told from forged ones
    /// (the Fetch standard, "append a request Origin header").
    pub fn page(status: StatusCode, html: String) -> Self {
        Self::bytes(status, "text/html; charset=utf-8", html)
            .header(http::header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)
            .header(http::header::X_FRAME_OPTIONS, "DENY")
            .header(REFERRER_POLICY, "strict-origin")
    }

    /// Any text or bytes.
    pub fn bytes(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self {
            status,
            headers: HeaderMap::with_capacity(USUAL_FIELDS),
            body: body.into(),
        };
        reply
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        reply
    }

    /// 303 to a place on this site, or one that was judged allowed.
    pub fn see_other(location: &str) -> Self {
        Self::empty(StatusCode::SEE_OTHER).header(LOCATION, location)
    }

    /// 302, as LoopBack redirects.
    pub fn found(location: &str) -> Self {
        Self::empty(StatusCode::FOUND).header(LOCATION, location)
    }

    /// Sets a header field; a value that cannot stand in a header is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Adds a cookie.
    #[must_use]
    pub fn cookie(mut self, cookie: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            self.headers.append(SET_COOKIE, value);
        }
        self
    }

    /// Adds what every answer carries.
    pub(crate) fn finish(mut self, request_id: &str, https: bool) -> Self {
        let headers = &mut self.headers;
        headers.insert(
            http::header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers
            .entry(REFERRER_POLICY)
            .or_insert(HeaderValue::from_static("no-referrer"));
        headers
            .entry(CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
        if https {
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(http::header::STRICT_TRANSPORT_SECURITY, year);
        }
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(X_REQUEST_ID.clone(), id);
        }
        self
    }

    /// As warp wants it.
    pub(crate) fn into_response(self) -> warp::reply::Response {
        let mut response = warp::reply::Response::new(self.body.into());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
