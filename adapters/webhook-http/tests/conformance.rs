//! What every sender of webhooks must do.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::net::TcpListener;
use std::sync::Arc;
use std::time::SystemTime;

use conformance::webhook_sender::{HOOK, NOBODY, Receiver, SECRETS, WebhookSenderFixture};
use domain::id::WebhookName;
use domain::ports::Clock;
use domain::secret::Secret;
use domain::time::Timestamp;
use outbound_http::{Outbound, OutboundConfig};
use webhook_http::{Endpoint, HttpWebhookSender, SigningSecret};

/// The machine's clock.
struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
    }
}

fn endpoint(name: &str, url: String, secrets: &[&str]) -> Endpoint {
    Endpoint {
        name: WebhookName::new(name),
        url: Secret::new(url),
        secrets: secrets
            .iter()
            .map(|text| SigningSecret::parse(text).unwrap())
            .collect(),
    }
}

async fn fresh() -> WebhookSenderFixture {
    let receiver = Receiver::start();
    // A port that nobody has once this listener is gone.
    let left = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoints = vec![
        endpoint(HOOK, format!("{}/hooks", receiver.address()), &SECRETS),
        endpoint(NOBODY, format!("http://{left}/"), &SECRETS[..1]),
    ];
    let outbound = Outbound::new(OutboundConfig::default()).unwrap();
    let sender = HttpWebhookSender::open(outbound, Arc::new(Now), endpoints).unwrap();
    WebhookSenderFixture {
        port: Arc::new(sender),
        receiver,
    }
}

conformance::webhook_sender!(fresh);
