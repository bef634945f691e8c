//! Cases of [`SmsSender`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::id::MessageId;
use domain::message::SmsMessage;
use domain::ports::{Delivery, PortError, SmsSender};
use domain::secret::Secret;
use domain::time::Lifetime;
use domain::user::Phone;

use crate::{log, race, sample};

/// All cases of the port, as tests. `$fixture` makes an `SmsFixture`.
#[macro_export]
macro_rules! sms_sender {
    ($fixture:ident) => {
        $crate::cases!(
            sms_sender,
            $fixture,
            [
                a_code_is_delivered_once_to_its_receiver,
                a_message_without_a_number_is_delivered_or_refused_as_promised,
                racing_messages_arrive_whole,
                neither_code_nor_number_is_in_any_log,
                a_gateway_that_says_nothing_is_waited_for_ten_seconds_at_most,
            ]
        );
    };
}

/// A sender, and the far end of its line.
pub struct SmsFixture {
    /// The adapter under test.
    pub port: Arc<dyn SmsSender>,
    /// What was delivered.
    pub inbox: Arc<dyn SmsInbox>,
}

/// The far end of a sender's line.
#[async_trait]
pub trait SmsInbox: Send + Sync {
    /// All delivered messages so far, each as (whom it went to: number or name, its text).
    async fn delivered(&self) -> Vec<(String, String)>;
    /// From now on it takes what it is sent, and says nothing. Never asked of a sender that is local.
    async fn fall_silent(&self) {}
}

/// Longest wait for an answer, with a second for a busy machine.
const LONGEST_WAIT: Duration = Duration::from_secs(11);

async fn send(port: &dyn SmsSender, message: &SmsMessage) -> Result<Delivery, PortError> {
    let id = format!("message-{}", message.code.expose());
    port.send(&MessageId::new(id), message).await
}

fn message(number: &str, code: &str) -> SmsMessage {
    let phone = Phone::parse(number);
    assert!(phone.is_some(), "{number} is a number");
    SmsMessage {
        phone,
        ..without_number(code)
    }
}

fn without_number(code: &str) -> SmsMessage {
    SmsMessage {
        user: sample::key("Users", "ada"),
        name: "ada@example.com".to_owned(),
        phone: None,
        code: Secret::new(code),
        life: Lifetime::from_secs(60),
        language: "en".to_owned(),
    }
}

/// Whether one delivered message went where `message` should go.
fn went_to(receiver: &str, message: &SmsMessage) -> bool {
    let number = message.phone.as_ref().map(Phone::as_str);
    receiver == message.name || Some(receiver) == number
}

pub async fn a_code_is_delivered_once_to_its_receiver(fixture: &SmsFixture) {
    let sent = message("+491701234567", "170123");
    let answer = send(&*fixture.port, &sent).await.expect("an answer");
    assert_eq!(answer, Delivery::Sent);
    let delivered = fixture.inbox.delivered().await;
    assert_eq!(delivered.len(), 1, "one message");
    let (receiver, text) = &delivered[0];
    assert!(went_to(receiver, &sent), "it went to {receiver}");
    assert_eq!(text.matches("170123").count(), 1, "the code is in {text:?} once");
}

pub async fn a_message_without_a_number_is_delivered_or_refused_as_promised(fixture: &SmsFixture) {
    let answer = send(&*fixture.port, &without_number("170124")).await;
    let answer = answer.expect("an answer");
    let reaches = fixture.port.reaches_without_number();
    if reaches {
        assert_eq!(answer, Delivery::Sent);
    } else {
        assert!(matches!(answer, Delivery::Unreachable { .. }), "{answer:?}");
    }
    assert_eq!(fixture.inbox.delivered().await.len(), usize::from(reaches));
}

pub async fn racing_messages_arrive_whole(fixture: &SmsFixture) {
    let port = Arc::clone(&fixture.port);
    let answers = race(16, move |number| {
        let port = Arc::clone(&port);
        async move { send(&*port, &message("+491701234567", &(500_100 + number).to_string())).await }
    })
    .await;
    let all_sent = answers.iter().all(|answer| matches!(answer, Ok(Delivery::Sent)));
    assert!(all_sent, "{answers:?}");
    let delivered = fixture.inbox.delivered().await;
    assert_eq!(delivered.len(), 16);
    for number in 0..16 {
        let code = (500_100 + number).to_string();
        let holding = delivered.iter().filter(|(_, text)| text.contains(&code));
        assert_eq!(holding.count(), 1, "{code} arrives in one message");
    }
}

pub async fn neither_code_nor_number_is_in_any_log(fixture: &SmsFixture) {
    log::listen();
    let sent = message("+4915111555777", "918273");
    let answer = send(&*fixture.port, &sent).await;
    let refused = send(&*fixture.port, &without_number("918273")).await;
    for secret in ["918273", "15111555777"] {
        assert!(!log::holds(secret), "{secret} is logged");
        assert!(
            !format!("{answer:?} {refused:?}").contains(secret),
            "{secret} is in an error"
        );
    }
}

pub async fn a_gateway_that_says_nothing_is_waited_for_ten_seconds_at_most(fixture: &SmsFixture) {
    if fixture.port.is_local() {
        return;
    }
    fixture.inbox.fall_silent().await;
    let begun = Instant::now();
    let answer = send(&*fixture.port, &message("+491701234567", "170125")).await;
    assert!(begun.elapsed() < LONGEST_WAIT, "{:?}", begun.elapsed());
    assert!(
        matches!(answer, Ok(Delivery::Unknown)),
        "it may have gone: {answer:?}"
    );
}
