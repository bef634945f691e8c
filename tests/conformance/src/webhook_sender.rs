//! Cases of [`WebhookSender`], against a service on this machine that answers what it is told to.

mod receiver;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::id::{MessageId, PoolName, UserId, UserKey, WebhookName};
use domain::ports::{Delivery, WebhookSender};
use domain::secret::Secret;
use domain::time::Lifetime;
use domain::webhook::WebhookMessage;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::log;

pub use receiver::{Heard, Receiver, Says};

/// All cases of the port, as tests. `$fixture` makes a `WebhookSenderFixture`.
#[macro_export]
macro_rules! webhook_sender {
    ($fixture:ident) => {
        $crate::cases!(
            webhook_sender,
            $fixture,
            [
                the_body_arrives_byte_by_byte_and_is_named_and_signed,
                every_secret_signs,
                the_name_stays_and_the_time_moves_on,
                only_a_success_is_one,
                an_endpoint_that_is_gone_is_given_up,
                a_service_may_ask_for_patience,
                a_redirection_is_not_followed,
                half_an_answer_may_mean_that_it_was_taken,
                nobody_at_the_address_is_an_outage,
                a_webhook_that_nobody_knows_is_given_up,
                neither_a_secret_nor_the_body_is_in_any_log_or_error,
            ]
        );
    };
}

/// A sender that knows the webhook [`HOOK`], whose service is `receiver` and shares [`SECRETS`] with us; and [`NOBODY`], at whose address
/// nobody listens and which has the first of them.
pub struct WebhookSenderFixture {
    /// The adapter under test.
    pub port: Arc<dyn WebhookSender>,
    /// The service.
    pub receiver: Receiver,
}

/// The webhook.
pub const HOOK: &str = "shop";
/// One whose service is not there.
pub const NOBODY: &str = "nobody";
/// What it knows us by, the newest first.
pub const SECRETS: [&str; 2] = [
    "whsec_bmV3ZXN0LXNlY3JldC1vZi10aGUtc2hvcC0x",
    "whsec_Zm9ybWVyLXNlY3JldC1vZi10aGUtc2hvcC0x",
];

const BODY: &str = "{\"type\":\"user.signed_up\",\"data\":{\"user\":\"Zoë 李雷\"}}";

fn to(webhook: &str, body: &str) -> WebhookMessage {
    WebhookMessage {
        user: UserKey::new(PoolName::new("Users"), UserId::new("1")),
        endpoint: WebhookName::new(webhook),
        body: Secret::new(body),
    }
}

async fn send(fixture: &WebhookSenderFixture, id: &str, body: &str) -> Delivery {
    let (id, message) = (MessageId::new(id), to(HOOK, body));
    fixture.port.send(&id, &message).await.expect("it is reached")
}

/// What a service computes that checks whether it was us.
fn signature(secret: &str, heard: &Heard) -> String {
    let key = secret.strip_prefix("whsec_").expect("a secret");
    let key = STANDARD.decode(key).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
    for part in [
        heard.header("webhook-id"),
        ".",
        heard.header("webhook-timestamp"),
        ".",
    ] {
        mac.update(part.as_bytes());
    }
    mac.update(&heard.body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn only(fixture: &WebhookSenderFixture) -> Heard {
    let mut heard = fixture.receiver.heard();
    assert_eq!(heard.len(), 1);
    heard.remove(0)
}

pub async fn the_body_arrives_byte_by_byte_and_is_named_and_signed(fixture: &WebhookSenderFixture) {
    assert_eq!(send(fixture, "m-1", BODY).await, Delivery::Sent);
    let heard = only(fixture);
    assert_eq!(
        (heard.method.as_str(), heard.body.as_slice()),
        ("POST", BODY.as_bytes())
    );
    assert_eq!(heard.header("content-type"), "application/json");
    assert_eq!(heard.header("webhook-id"), "m-1");
    let timestamp: i64 = heard.header("webhook-timestamp").parse().expect("whole seconds");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.expect("after 1970").as_secs()).expect("not yet");
    assert!((now - timestamp).abs() < 60, "{timestamp} is not now");
    let signed: Vec<&str> = heard.header("webhook-signature").split(' ').collect();
    assert_eq!(signed[0], signature(SECRETS[0], &heard));
}

pub async fn every_secret_signs(fixture: &WebhookSenderFixture) {
    send(fixture, "m-1", BODY).await;
    let heard = only(fixture);
    let signed: Vec<&str> = heard.header("webhook-signature").split(' ').collect();
    assert_eq!(signed, SECRETS.map(|secret| signature(secret, &heard)));
}

pub async fn the_name_stays_and_the_time_moves_on(fixture: &WebhookSenderFixture) {
    send(fixture, "m-1", BODY).await;
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    send(fixture, "m-1", BODY).await;
    let heard = fixture.receiver.heard();
    assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
    assert_ne!(
        heard[0].header("webhook-timestamp"),
        heard[1].header("webhook-timestamp")
    );
    assert_ne!(
        heard[0].header("webhook-signature"),
        heard[1].header("webhook-signature")
    );
}

pub async fn only_a_success_is_one(fixture: &WebhookSenderFixture) {
    for status in [200, 201, 202, 204, 299] {
        fixture.receiver.says(Says::status(status));
        assert_eq!(send(fixture, "m", BODY).await, Delivery::Sent, "{status}");
    }
    for status in [400, 401, 403, 404, 422, 429, 500, 502, 503] {
        fixture.receiver.says(Says::status(status));
        let told = send(fixture, "m", BODY).await;
        assert!(
            matches!(
                told,
                Delivery::NotNow {
                    retry_after: None,
                    ..
                }
            ),
            "{status}: {told:?}"
        );
    }
}

pub async fn an_endpoint_that_is_gone_is_given_up(fixture: &WebhookSenderFixture) {
    fixture.receiver.says(Says::status(410));
    let told = send(fixture, "m", BODY).await;
    assert_eq!(told, Delivery::Unreachable { reason: "gone" });
}

pub async fn a_service_may_ask_for_patience(fixture: &WebhookSenderFixture) {
    let asks = |value: &'static str| Says::Answer(503, vec![("Retry-After", value.to_owned())]);
    let after = async |value| {
        fixture.receiver.says(asks(value));
        match send(fixture, "m", BODY).await {
            Delivery::NotNow { retry_after, .. } => retry_after,
            told => panic!("{told:?}"),
        }
    };
    assert_eq!(after("90").await, Some(Lifetime::from_secs(90)));
    assert_eq!(after("soon").await, None);
    let forever = after("99999999999").await.expect("a wait");
    assert!(
        forever <= Lifetime::from_secs(86_400),
        "nobody is made to wait for ever"
    );
}

pub async fn a_redirection_is_not_followed(fixture: &WebhookSenderFixture) {
    let elsewhere = format!("{}/elsewhere", fixture.receiver.address());
    for status in [301, 302, 303, 307, 308] {
        fixture
            .receiver
            .says(Says::Answer(status, vec![("Location", elsewhere.clone())]));
        let told = send(fixture, "m", BODY).await;
        assert!(matches!(told, Delivery::NotNow { .. }), "{status}: {told:?}");
    }
    assert!(
        fixture
            .receiver
            .heard()
            .iter()
            .all(|heard| heard.path != "/elsewhere")
    );
}

pub async fn half_an_answer_may_mean_that_it_was_taken(fixture: &WebhookSenderFixture) {
    fixture.receiver.says(Says::Nothing);
    assert_eq!(send(fixture, "m", BODY).await, Delivery::Unknown);
}

pub async fn nobody_at_the_address_is_an_outage(fixture: &WebhookSenderFixture) {
    let sent = fixture.port.send(&MessageId::new("m"), &to(NOBODY, BODY)).await;
    assert!(sent.is_err_and(|error| error.may_pass()));
}

pub async fn a_webhook_that_nobody_knows_is_given_up(fixture: &WebhookSenderFixture) {
    let sent = fixture.port.send(&MessageId::new("m"), &to("former", BODY)).await;
    assert!(matches!(sent, Ok(Delivery::Unreachable { .. })), "{sent:?}");
    assert!(fixture.receiver.heard().is_empty());
}

pub async fn neither_a_secret_nor_the_body_is_in_any_log_or_error(fixture: &WebhookSenderFixture) {
    log::listen();
    let body = "{\"detail\":\"only-between-us-two\"}";
    let mut said = String::new();
    for says in [Says::status(200), Says::status(500), Says::Nothing] {
        fixture.receiver.says(says);
        let sent = fixture.port.send(&MessageId::new("m"), &to(HOOK, body)).await;
        said.push_str(&format!("{sent:?}"));
    }
    let sent = fixture.port.send(&MessageId::new("m"), &to(NOBODY, body)).await;
    said.push_str(&format!("{sent:?}"));
    for secret in ["only-between-us-two", &SECRETS[0][6..], &SECRETS[1][6..]] {
        assert!(!said.contains(secret) && !log::holds(secret), "{secret}");
    }
}
