//! Requests that no filter gets to see, and the answer when a filter fails.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::Full;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// An answer given in the service's place, its body in LoopBack's error shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    body: &'static str,
}

/// The target names no resource of this site.
const BAD_TARGET: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    body: r#"{"error":{"statusCode":400,"name":"Error","message":"The request target must be a path","code":"INVALID_REQUEST_TARGET"}}"#,
};
/// RFC 9112 section 3.2 asks for exactly this answer.
const NO_HOST: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    body: r#"{"error":{"statusCode":400,"name":"Error","message":"The Host header is missing","code":"HOST_REQUIRED"}}"#,
};
/// The service panicked; why is told to nobody outside.
pub(super) const FAULT: Refusal = Refusal {
    status: StatusCode::INTERNAL_SERVER_ERROR,
    body: r#"{"error":{"statusCode":500,"message":"Internal Server Error"}}"#,
};

impl Refusal {
    /// Why this request may not reach the service, if so.
    ///
    /// A target in authority form leaves the URI without a path, on which warp's `path::full()` panics; it belongs to CONNECT,
    /// and this is no proxy (RFC 9112 section 3.2.3). The asterisk belongs to OPTIONS alone (section 3.2.4).
    pub(super) fn of<B>(request: &Request<B>) -> Option<Self> {
        let path = request.uri().path();
        let whole_server = request.method() == Method::OPTIONS && path == "*";
        if request.method() == Method::CONNECT || !(path.starts_with('/') || whole_server) {
            return Some(BAD_TARGET);
        }
        // HTTP/1.0 knew no Host, HTTP/2 has `:authority` in its place.
        let owes_host = request.version() == Version::HTTP_11;
        (owes_host && !request.headers().contains_key(HOST)).then_some(NO_HOST)
    }

    /// The answer to a request of this method. Over HTTP/1 its connection ends with it: what else such a client sends is not
    /// worth guessing.
    pub(super) fn answer(self, method: &Method, version: Version) -> Response<Full<Bytes>> {
        let body = if *method == Method::HEAD { "" } else { self.body };
        let mut answer = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(CACHE_CONTROL, NO_STORE);
        headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        announce_close(&mut answer, version);
        answer
    }
}

/// Says that the connection ends with this answer; hyper keeps the word. HTTP/2 has no such field (RFC 9113 section 8.2.2).
pub(super) fn announce_close<B>(answer: &mut Response<B>, version: Version) {
    if version < Version::HTTP_2 {
        answer.headers_mut().insert(CONNECTION, CLOSE);
    }
}

#[cfg(test)]
mod tests {
    use super::{BAD_TARGET, FAULT, NO_HOST};

    #[test]
    fn every_refusal_is_json_and_agrees_with_its_status() {
        for refusal in [BAD_TARGET, NO_HOST, FAULT] {
            let body: serde_json::Value = serde_json::from_str(refusal.body).unwrap();
            assert_eq!(body["error"]["statusCode"], refusal.status.as_u16());
        }
    }
}
