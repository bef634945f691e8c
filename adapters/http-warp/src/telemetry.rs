//! What a request leaves behind: one log line with its id, and counters. Never a path's secrets, a query, a header, a body.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::limits::ClientAddress;
use http::{HeaderMap, StatusCode};

use crate::extract::Request;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// The caller's `X-Request-Id` if it is short and plain, else a new one.
pub fn request_id(headers: &HeaderMap) -> Arc<str> {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
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
    static STARTED: OnceLock<u64> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or_default()
    });
    format!("{started:x}-{:x}", NEXT.fetch_add(1, Ordering::Relaxed)).into()
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
