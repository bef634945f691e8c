//! What a request leaves behind: one log line with its id, and counters. Never a path's secrets, a query, a header, a body.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::limits::ClientAddress;
use http::{HeaderMap, HeaderName, StatusCode};

use crate::extract::Request;

static NEXT: AtomicU64 = AtomicU64::new(0);
/// The header that names a request, in and out.
pub static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The caller's `X-Request-Id` if it is short and plain, else a new one.
pub fn request_id(headers: &HeaderMap) -> Arc<str> {
    let given = headers.get(&X_REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    given.filter(plain).map_or_else(fresh_id, Arc::from)
}

/// Unique within a process, and by its start time across restarts: it names a line, it guards nothing.
fn fresh_id() -> Arc<str> {
    use std::sync::OnceLock;
    static STARTED: OnceLock<String> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        format!("{:x}-", since.as_millis())
    });
    let mut id = String::with_capacity(started.len() + 16);
    id.push_str(started);
    push_hex(&mut id, NEXT.fetch_add(1, Ordering::Relaxed));
    id.into()
}

/// Adds a number in hexadecimal digits: every request needs one, and `format!` takes ten times as long.
fn push_hex(text: &mut String, number: u64) {
    let digits = (u64::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        let digit = u32::try_from(number >> (place * 4) & 0xf).unwrap_or(0);
        text.push(char::from_digit(digit, 16).unwrap_or('0'));
    }
}

/// The line of one request.
pub struct RequestLine {
    /// The request's name.
    pub id: Arc<str>,
    /// The route's pattern, not the path: paths may hold tokens.
    pub route: &'static str,
    /// What went wrong, for the operator.
    pub cause: Option<String>,
    method: http::Method,
    ip: IpAddr,
}

impl RequestLine {
    /// Begins the line of a request.
    pub fn new(request: &Request) -> Self {
        Self {
            id: Arc::clone(&request.id),
            route: "none",
            cause: None,
            method: request.method.clone(),
            ip: request.ip,
        }
    }

    /// Writes it, and counts.
    pub fn write(&self, status: StatusCode, took: Duration, metrics: &Metrics) {
        metrics.count(status, took);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let (id, route, method, ip) = (&self.id, self.route, &self.method, self.ip);
        let status = status.as_u16();
        if status >= 500 {
            let cause = self.cause.as_deref().unwrap_or("unknown");
            tracing::error!(request_id = %id, %method, route, status, micros, client = ClientAddress::of(ip).as_str(), cause, "request failed");
        } else {
            tracing::debug!(request_id = %id, %method, route, status, micros, client = ClientAddress::of(ip).as_str(), "request");
        }
    }
}

/// Counters of the edge, cheap enough for every request.
#[derive(Debug, Default)]
pub struct Metrics {
    classes: [AtomicU64; 6],
    micros: AtomicU64,
}

impl Metrics {
    fn count(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(counter) = self.classes.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(
            u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }

    /// The counters in Prometheus' text format.
    pub fn render(&self) -> String {
        let mut text = String::from("# TYPE portcullis_http_requests_total counter\n");
        for (class, counter) in self.classes.iter().enumerate().skip(1) {
            let count = counter.load(Ordering::Relaxed);
            let _ = writeln!(
                text,
                "portcullis_http_requests_total{{class=\"{class}xx\"}} {count}"
            );
        }
        let micros = self.micros.load(Ordering::Relaxed);
        text.push_str("# TYPE portcullis_http_request_microseconds_total counter\n");
        let _ = writeln!(text, "portcullis_http_request_microseconds_total {micros}");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_hexadecimal_digits() {
        for number in [0, 1, 15, 16, 0xdead_beef, u64::MAX] {
            let mut text = String::new();
            push_hex(&mut text, number);
            assert_eq!(text, format!("{number:x}"));
        }
    }

    #[test]
    fn a_plain_request_id_is_taken_over_and_any_other_replaced() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(&X_REQUEST_ID, value.parse().unwrap());
            request_id(&headers)
        };
        assert_eq!(&*with("abc-1_2"), "abc-1_2");
        assert_ne!(&*with("a b"), "a b");
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }
}
