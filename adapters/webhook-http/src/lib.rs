#![doc = include_str!("../README.md")]

mod endpoint;
mod rest;
mod signature;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::id::{MessageId, WebhookName};
use domain::ports::{Clock, Delivery, PortError, WebhookSender};
use domain::time::Lifetime;
use domain::webhook::WebhookMessage;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use outbound_http::{Outbound, OutboundError};
use rest::{Admitted, Rest};

pub use endpoint::{Endpoint, EndpointError};
pub use signature::{BadSecret, SigningSecret};

/// Longest wait for an answer, whatever `Outbound` would wait.
const PATIENCE: Duration = Duration::from_secs(15);

/// Longest time a service may ask us to wait; a longer one is taken for this.
const LONGEST_WAIT: u64 = 86_400;

static WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
static WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
static WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Posts events to the endpoints it knows.
pub struct HttpWebhookSender {
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    services: BTreeMap<WebhookName, Service>,
}

/// A service behind a webhook.
struct Service {
    address: Uri,
    secrets: Vec<SigningSecret>,
    rest: Rest,
}

impl HttpWebhookSender {
    /// Judges the endpoints; asks nobody yet. The clock tells the second that each attempt is signed with.
    ///
    /// # Errors
    /// [`EndpointError`] of the first that cannot be used.
    pub fn open(
        outbound: Outbound,
        clock: Arc<dyn Clock>,
        endpoints: Vec<Endpoint>,
    ) -> Result<Self, EndpointError> {
        let known = endpoints.into_iter().map(|endpoint| {
            endpoint.check()?;
            let service = Service {
                address: endpoint.address()?,
                secrets: endpoint.secrets,
                rest: Rest::default(),
            };
            Ok((endpoint.name, service))
        });
        Ok(Self {
            outbound,
            clock,
            services: known.collect::<Result<_, _>>()?,
        })
    }

    /// One attempt, signed now; none where a header could not hold what it is to say.
    fn request(&self, service: &Service, id: &MessageId, body: &str) -> Option<Request<Vec<u8>>> {
        let timestamp = self.clock.now().as_millis().div_euclid(1000);
        let signatures = service
            .secrets
            .iter()
            .map(|secret| secret.signature(id.as_str(), timestamp, body));
        let signatures = signatures.collect::<Vec<_>>().join(" ");
        let mut request = Request::new(body.as_bytes().to_vec());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = service.address.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(WEBHOOK_ID.clone(), HeaderValue::from_str(id.as_str()).ok()?);
        headers.insert(WEBHOOK_TIMESTAMP.clone(), HeaderValue::from(timestamp));
        headers.insert(
            WEBHOOK_SIGNATURE.clone(),
            HeaderValue::from_str(&signatures).ok()?,
        );
        Some(request)
    }
}

#[async_trait]
impl WebhookSender for HttpWebhookSender {
    async fn send(&self, id: &MessageId, message: &WebhookMessage) -> Result<Delivery, PortError> {
        let Some(service) = self.services.get(&message.endpoint) else {
            return Ok(Delivery::Unreachable {
                reason: "unknown_webhook",
            });
        };
        let request = self.request(service, id, message.body.expose());
        let request = request.ok_or_else(|| PortError::corrupt(format!("message {id}")))?;
        let Some(admitted) = Admitted::by(&service.rest) else {
            return Err(PortError::unavailable("it did not answer a moment ago"));
        };
        let sent = tokio::time::timeout(PATIENCE, self.outbound.send(request)).await;
        let is_silent = matches!(
            sent,
            Err(_) | Ok(Err(OutboundError::Timeout { .. } | OutboundError::Connect { .. }))
        );
        admitted.was(!is_silent);
        let delivery = match sent {
            Ok(Ok(answer)) => judge(&answer),
            // It may have taken the event before the line broke.
            Ok(Err(
                OutboundError::Timeout { .. } | OutboundError::Broken { .. } | OutboundError::TooLarge { .. },
            ))
            | Err(_) => Delivery::Unknown,
            Ok(Err(error)) => {
                tracing::debug!(webhook = %message.endpoint, %id, %error, "a webhook cannot be reached");
                return Err(PortError::unavailable(error));
            }
        };
        tracing::debug!(webhook = %message.endpoint, %id, outcome = ?delivery, "a webhook was told");
        Ok(delivery)
    }
}

fn judge(answer: &Response<Vec<u8>>) -> Delivery {
    match answer.status() {
        status if status.is_success() => Delivery::Sent,
        StatusCode::GONE => Delivery::Unreachable { reason: "gone" },
        status => Delivery::NotNow {
            retry_after: retry_after(answer),
            reason: match status.as_u16() {
                300..=399 => "redirected",
                401 | 403 => "refused",
                404 => "not_found",
                429 => "throttled",
                400..=499 => "client_error",
                _ => "server_error",
            },
        },
    }
}

/// How long the service asks us to wait: seconds (RFC 9110 section 10.2.3). A date is as good as none: our own waits do.
fn retry_after(answer: &Response<Vec<u8>>) -> Option<Lifetime> {
    let seconds: u64 = answer
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Lifetime::from_secs(seconds.min(LONGEST_WAIT)))
}
