//! What the sender makes of a gateway that does not do as it should: a process that speaks the SMS API, with its faults.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

use std::time::{Duration, Instant};

use domain::message::SmsMessage;
use domain::ports::{Delivery, PortError, SmsSender};
use domain::secret::Secret;
use domain::time::Lifetime;
use e2e::{Counterparty, authority};
use outbound_http::OutboundConfig;
use serde_json::{Value, json};
use sms_nexmo::{NexmoConfig, NexmoConfigError, NexmoSmsSender};
use support::{NUMBER, config, id, message, sender, sender_with};
use tokio::net::TcpListener;

async fn taken(gateway: &Counterparty) -> Vec<Value> {
    let told = gateway.tell("messages", &json!({})).await;
    told.as_array().unwrap().clone()
}

async fn attempts(gateway: &Counterparty) -> usize {
    let told = gateway.tell("attempts", &json!({})).await;
    told.as_array().unwrap().len()
}

/// What is said of a message while this goes wrong.
async fn with_fault(gateway: &Counterparty, fault: &str) -> Delivery {
    gateway.tell(&format!("fault?name={fault}"), &json!({})).await;
    let answer = sender(gateway.address())
        .send(&id("m"), &message(NUMBER, "123456"))
        .await;
    answer.unwrap_or_else(|error| panic!("{fault}: {error}"))
}

fn not_now(reason: &'static str, millis: Option<u64>) -> Delivery {
    Delivery::NotNow {
        retry_after: millis.map(Lifetime::from_millis),
        reason,
    }
}

const fn refused(reason: &'static str) -> Delivery {
    Delivery::Refused { reason }
}

const fn unreachable(reason: &'static str) -> Delivery {
    Delivery::Unreachable { reason }
}

#[tokio::test]
async fn a_code_arrives_as_it_was_written() {
    let gateway = Counterparty::sms().await;
    let sender = sender(gateway.address());
    for (language, text, kind) in [
        ("en", "Your verification code is 012345", "text"),
        ("de", "Ihr Bestätigungscode lautet 012345", "text"),
        ("es", "Su código de verificación es 012345", "unicode"),
        ("zh", "您的验证码是 012345", "unicode"),
        ("tlh", "Your verification code is 012345", "text"),
    ] {
        gateway.tell("forget", &json!({})).await;
        let message = SmsMessage {
            language: language.to_owned(),
            ..message(NUMBER, "012345")
        };
        assert_eq!(sender.send(&id("m-7"), &message).await.unwrap(), Delivery::Sent);
        let expected = json!([{
            "to": "491701234567", "from": "Portcullis", "text": text, "type": kind, "ref": "m-7", "ttl": "300000", "parts": 1,
        }]);
        assert_eq!(Value::from(taken(&gateway).await), expected);
    }
}

#[tokio::test]
async fn statuses_say_whether_to_try_again_whom_to_tell_or_who_must_look() {
    let gateway = Counterparty::sms().await;
    for (status, expected) in [
        (1, not_now("throttled", Some(250))),
        (5, not_now("internal", None)),
        (10, not_now("too_many_binds", None)),
        (6, unreachable("unroutable")),
        (7, unreachable("barred")),
        (33, unreachable("deactivated")),
        (2, refused("parameter_missing")),
        (3, refused("parameter_invalid")),
        (4, refused("credentials")),
        (8, refused("account_barred")),
        (9, refused("credit")),
        (11, refused("account_without_http")),
        (14, refused("signature")),
        (15, refused("sender")),
        (29, refused("not_on_white_list")),
        (99, refused("status_unknown")),
    ] {
        assert_eq!(
            with_fault(&gateway, &format!("status-{status}")).await,
            expected,
            "{status}"
        );
    }
    assert_eq!(taken(&gateway).await, Vec::<Value>::new());
    // The gateway knows these by themselves.
    let sender = sender(gateway.address());
    for (number, expected) in [
        ("+491701230006", unreachable("unroutable")),
        ("+491701230007", unreachable("barred")),
        ("+491701230033", unreachable("deactivated")),
        ("+491701230029", refused("not_on_white_list")),
    ] {
        assert_eq!(
            sender.send(&id("m"), &message(number, "1")).await.unwrap(),
            expected
        );
    }
}

#[tokio::test]
async fn statuses_of_http_are_no_answer_of_the_gateway() {
    let gateway = Counterparty::sms().await;
    for (fault, expected) in [
        ("http-429", not_now("throttled", None)),
        ("http-429&wait=3", not_now("throttled", Some(3000))),
        ("http-503&wait=2", not_now("overloaded", Some(2000))),
        ("http-401", refused("credentials")),
        ("http-403", refused("credentials")),
        ("http-404", refused("request")),
        ("http-302", refused("redirected")),
        ("http-500", Delivery::Unknown),
        ("http-502", Delivery::Unknown),
    ] {
        assert_eq!(with_fault(&gateway, fault).await, expected, "{fault}");
    }
}

#[tokio::test]
async fn whatever_may_have_gone_is_unknown() {
    let gateway = Counterparty::sms().await;
    for fault in [
        "html",
        "nothing",
        "drop",
        "drop&taken=1",
        "http-500&taken=1",
        "partial",
        "short",
    ] {
        assert_eq!(with_fault(&gateway, fault).await, Delivery::Unknown, "{fault}");
    }
    assert_eq!(attempts(&gateway).await, 7, "each was posted once");
}

#[tokio::test]
async fn nobody_is_asked_about_a_number_that_cannot_be() {
    let gateway = Counterparty::sms().await;
    let sender = sender(gateway.address());
    for (number, reason) in [
        ("+9991234567", "invalid_number"),
        ("+49170123", "invalid_number"),
        ("+499001234567", "premium_number"),
    ] {
        let answer = sender.send(&id("m"), &message(number, "1")).await.unwrap();
        assert_eq!(answer, Delivery::Unreachable { reason }, "{number}");
    }
    assert_eq!(attempts(&gateway).await, 0);
}

#[tokio::test]
async fn a_wrong_secret_is_for_the_operator() {
    let gateway = Counterparty::sms().await;
    let wrong = NexmoConfig {
        api_secret: Secret::new("not-the-secret"),
        ..config(gateway.address())
    };
    let sender = sender_with(OutboundConfig::default(), wrong);
    let answer = sender.send(&id("m"), &message(NUMBER, "1")).await.unwrap();
    assert_eq!(answer, refused("credentials"));
    assert!(!format!("{sender:?}").contains("not-the-secret"));
}

fn passing(answer: Result<Delivery, PortError>) -> String {
    match answer {
        Err(error) if error.may_pass() => error.to_string(),
        other => panic!("nothing was sent, and that may pass: {other:?}"),
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let answer = sender(&format!("http://{address}"))
        .send(&id("m"), &message(NUMBER, "778899"))
        .await;
    let told = passing(answer);
    assert!(!told.contains("778899") && !told.contains("1701234567"), "{told}");
}

#[tokio::test]
async fn a_gateway_that_never_greets_was_sent_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outbound = OutboundConfig {
        connect_timeout: Duration::from_millis(300),
        ..OutboundConfig::default()
    };
    let begun = Instant::now();
    let sender = sender_with(
        outbound,
        config(&format!("https://{}", silent.local_addr().unwrap())),
    );
    passing(sender.send(&id("m"), &message(NUMBER, "1")).await);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn only_a_gateway_with_its_own_certificate_hears_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    authority(folder.path());
    let gateway = Counterparty::sms().await;
    let trusting = || OutboundConfig {
        ca_file: Some(folder.path().join("ca.pem")),
        ..OutboundConfig::default()
    };
    for (certificate, is_good) in [
        ("localhost", true),
        ("wrong-host", false),
        ("untrusted", false),
        ("expired", false),
    ] {
        let front = Counterparty::tls_front(folder.path(), certificate, gateway.port()).await;
        let address = format!("https://localhost:{}", front.port());
        let answer = sender_with(trusting(), config(&address))
            .send(&id("m"), &message(NUMBER, "1"))
            .await;
        if is_good {
            assert_eq!(answer.unwrap(), Delivery::Sent);
        } else {
            passing(answer);
        }
    }
    assert_eq!(attempts(&gateway).await, 1);
}

#[test]
fn what_no_sender_can_be_made_of_is_found_when_it_is_opened() {
    let open = |config| {
        NexmoSmsSender::open(
            outbound_http::Outbound::new(OutboundConfig::default()).unwrap(),
            config,
        )
    };
    let good = || config("https://rest.nexmo.com");
    let with = |change: fn(&mut NexmoConfig)| {
        let mut config = good();
        change(&mut config);
        open(config).map(|_| ()).unwrap_err()
    };
    assert!(open(good()).is_ok());
    assert_eq!(
        with(|config| config.api_key = Secret::new("")),
        NexmoConfigError::ApiKey
    );
    assert_eq!(
        with(|config| config.api_secret = Secret::new("a b")),
        NexmoConfigError::ApiSecret
    );
    assert_eq!(with(|config| config.from.clear()), NexmoConfigError::From);
    assert_eq!(
        with(|config| "http://rest.nexmo.com".clone_into(&mut config.base_url)),
        NexmoConfigError::BaseUrl
    );
}
