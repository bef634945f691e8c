//! Cases of [`Mailer`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use domain::id::MessageId;
use domain::message::{MailKind, MailMessage, Notice};
use domain::ports::{Delivery, Mailer, PortError};
use domain::secret::Secret;
use domain::time::Lifetime;
use domain::user::{Email, FactorKind};

use crate::{log, race, sample};

/// All cases of the port, as tests. `$fixture` makes a `MailFixture`.
#[macro_export]
macro_rules! mailer {
    ($fixture:ident) => {
        $crate::cases!(
            mailer,
            $fixture,
            [
                a_mail_goes_to_its_receiver_and_to_nobody_else,
                a_link_arrives_whole_and_once,
                a_code_arrives_once_with_its_provider_and_life,
                every_kind_is_told_apart_by_its_subject,
                a_mail_to_a_registered_address_holds_no_link,
                every_notice_says_something,
                the_way_back_to_an_old_address_arrives_whole_and_once,
                a_language_nobody_speaks_is_answered_in_english,
                racing_mails_arrive_whole,
                the_link_is_in_no_log,
                the_code_is_in_no_log,
            ]
        );
    };
}

/// A mailer, and the mailboxes it reaches.
pub struct MailFixture {
    /// The adapter under test.
    pub port: Arc<dyn Mailer>,
    /// What was delivered.
    pub inbox: Arc<dyn MailInbox>,
}

/// The mailboxes a mailer reaches.
#[async_trait]
pub trait MailInbox: Send + Sync {
    /// All delivered mails so far.
    async fn delivered(&self) -> Vec<DeliveredMail>;
}

/// A mail as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveredMail {
    /// Every address it went to, copies included.
    pub to: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Its text, decoded.
    pub text: String,
}

/// As long and as full of marks as our links get: nothing may wrap, escape or shorten it.
const LINK: &str = "https://login.example.com/verify?uid=0192f0c1-7f3a-7cc0-9d3e-0a1b2c3d4e5f&token=\
                    ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789Az&redirect=%2Fwelcome%3Fa%3Db";

fn verify(link: &str) -> MailKind {
    MailKind::VerifyEmail {
        link: Secret::new(link),
    }
}

fn reset(link: &str) -> MailKind {
    MailKind::ResetPassword {
        link: Secret::new(link),
        life: Lifetime::from_secs(900),
    }
}

fn join(code: &str) -> MailKind {
    MailKind::JoinCode {
        code: Secret::new(code),
        provider: "google".to_owned(),
        life: Lifetime::from_secs(600),
    }
}

fn mail(to: &str, kind: MailKind) -> MailMessage {
    MailMessage {
        user: sample::key("Users", "ada"),
        to: Email::parse(to, true).expect("a good address"),
        kind,
        language: "en".to_owned(),
    }
}

fn magic(link: &str) -> MailKind {
    MailKind::MagicLink {
        link: Secret::new(link),
        life: Lifetime::from_secs(900),
    }
}

fn email_changed(undo: &str) -> MailKind {
    MailKind::Notice(Notice::EmailChanged {
        to: "n…@example.org".to_owned(),
        undo: Secret::new(undo),
        life: Lifetime::from_secs(259_200),
    })
}

/// Every notice without a link.
fn notices() -> Vec<Notice> {
    vec![
        Notice::NewDevice {
            device: Some("Firefox on Linux".to_owned()),
            at: sample::at(0),
        },
        Notice::NewDevice {
            device: None,
            at: sample::at(0),
        },
        Notice::EmailIsNow,
        Notice::PhoneChanged,
        Notice::PasswordChanged,
        Notice::FactorAdded {
            factor: FactorKind::Totp,
            name: Some("My phone".to_owned()),
        },
        Notice::FactorRemoved {
            factor: FactorKind::Passkey,
            name: None,
        },
        Notice::RecoveryCodeUsed { left: 7 },
        Notice::CodesHeldBack,
    ]
}

/// Sends a mail under an id of its own.
async fn deliver(port: &dyn Mailer, mail: &MailMessage) -> Result<Delivery, PortError> {
    static SENT: AtomicU64 = AtomicU64::new(0);
    let number = SENT.fetch_add(1, Ordering::SeqCst);
    port.send(&MessageId::new(format!("message-{number}")), mail)
        .await
}

async fn send(fixture: &MailFixture, kind: MailKind) {
    let sent = deliver(&*fixture.port, &mail("ada@example.com", kind)).await;
    assert_eq!(sent.expect("the mail is sent"), Delivery::Sent);
}

pub async fn a_mail_goes_to_its_receiver_and_to_nobody_else(fixture: &MailFixture) {
    for address in ["ada@example.com", "o'neil+tag@example.com", "Zoë@bücher.example"] {
        let sent = deliver(&*fixture.port, &mail(address, verify(LINK))).await;
        assert_eq!(sent.expect("the mail is sent"), Delivery::Sent);
        let delivered = fixture.inbox.delivered().await;
        let to = delivered.last().map(|mail| mail.to.clone());
        assert_eq!(to, Some(vec![address.to_owned()]));
    }
    assert_eq!(fixture.inbox.delivered().await.len(), 3);
}

pub async fn a_link_arrives_whole_and_once(fixture: &MailFixture) {
    send(fixture, verify(LINK)).await;
    send(fixture, reset(LINK)).await;
    send(fixture, magic(LINK)).await;
    let delivered = fixture.inbox.delivered().await;
    assert_eq!(delivered.len(), 3);
    for mail in delivered {
        assert_eq!(mail.text.matches(LINK).count(), 1, "{}", mail.text);
    }
}

pub async fn a_code_arrives_once_with_its_provider_and_life(fixture: &MailFixture) {
    send(fixture, join("471108")).await;
    let delivered = fixture.inbox.delivered().await;
    assert_eq!(delivered.len(), 1);
    let mail = &delivered[0];
    assert_eq!(mail.text.matches("471108").count(), 1, "{}", mail.text);
    assert!(
        !mail.subject.contains("471108"),
        "a locked screen shows subjects: {}",
        mail.subject
    );
    assert!(mail.text.contains("google"), "{}", mail.text);
    assert!(mail.text.contains("10 minutes"), "{}", mail.text);
}

pub async fn every_kind_is_told_apart_by_its_subject(fixture: &MailFixture) {
    for kind in [
        verify(LINK),
        reset(LINK),
        MailKind::AlreadyRegistered,
        join("471108"),
        magic(LINK),
        MailKind::Notice(Notice::PasswordChanged),
    ] {
        send(fixture, kind).await;
    }
    let delivered = fixture.inbox.delivered().await;
    let subjects: Vec<&str> = delivered.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(subjects.len(), 6);
    assert_eq!(subjects[0], "Thanks for Registering", "LoopBack's subject");
    let distinct: BTreeSet<&str> = subjects.iter().copied().collect();
    assert_eq!(distinct.len(), subjects.len(), "{subjects:?}");
    assert!(delivered.iter().all(|mail| !mail.text.trim().is_empty()));
}

pub async fn a_mail_to_a_registered_address_holds_no_link(fixture: &MailFixture) {
    send(fixture, MailKind::AlreadyRegistered).await;
    let delivered = fixture.inbox.delivered().await;
    assert!(delivered.iter().all(|mail| !mail.text.contains("token=")));
}

pub async fn every_notice_says_something(fixture: &MailFixture) {
    let notices = notices();
    for notice in &notices {
        send(fixture, MailKind::Notice(notice.clone())).await;
    }
    let delivered = fixture.inbox.delivered().await;
    assert_eq!(delivered.len(), notices.len());
    for (mail, notice) in delivered.iter().zip(&notices) {
        assert!(!mail.subject.trim().is_empty(), "{notice:?}");
        assert!(!mail.text.trim().is_empty(), "{notice:?}");
        assert!(!mail.text.contains("token="), "{notice:?}");
    }
    assert!(
        delivered[0].text.contains("Firefox on Linux"),
        "{}",
        delivered[0].text
    );
    let texts: BTreeSet<&str> = delivered.iter().map(|mail| mail.text.as_str()).collect();
    assert_eq!(texts.len(), notices.len(), "each says what happened");
}

pub async fn the_way_back_to_an_old_address_arrives_whole_and_once(fixture: &MailFixture) {
    send(fixture, email_changed(LINK)).await;
    let delivered = fixture.inbox.delivered().await;
    assert_eq!(delivered.len(), 1);
    let mail = &delivered[0];
    assert_eq!(mail.text.matches(LINK).count(), 1, "{}", mail.text);
    assert!(!mail.subject.contains("token="), "{}", mail.subject);
}

pub async fn a_language_nobody_speaks_is_answered_in_english(fixture: &MailFixture) {
    for language in ["en", "tlh", ""] {
        let sent = MailMessage {
            language: language.to_owned(),
            ..mail("ada@example.com", verify(LINK))
        };
        deliver(&*fixture.port, &sent).await.expect("the mail is sent");
    }
    let delivered = fixture.inbox.delivered().await;
    let subjects: BTreeSet<&str> = delivered.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
}

pub async fn racing_mails_arrive_whole(fixture: &MailFixture) {
    let port = Arc::clone(&fixture.port);
    let answers = race(16, move |number| {
        let port = Arc::clone(&port);
        async move {
            let link = format!("https://login.example.com/reset?token=racer-{number:02}-end");
            let sent = mail(&format!("racer-{number:02}@example.com"), reset(&link));
            deliver(&*port, &sent).await
        }
    })
    .await;
    let sent = |answer: &Result<Delivery, _>| matches!(answer, Ok(Delivery::Sent));
    assert!(answers.iter().all(sent), "{answers:?}");
    let delivered = fixture.inbox.delivered().await;
    assert_eq!(delivered.len(), 16);
    for number in 0..16 {
        let to = vec![format!("racer-{number:02}@example.com")];
        let mine: Vec<_> = delivered.iter().filter(|mail| mail.to == to).collect();
        assert_eq!(mine.len(), 1, "{to:?}");
        assert!(mine[0].text.contains(&format!("token=racer-{number:02}-end")));
    }
}

pub async fn the_link_is_in_no_log(fixture: &MailFixture) {
    log::listen();
    let link = "https://login.example.com/reset?token=a-token-for-no-log";
    for kind in [verify(link), reset(link), magic(link), email_changed(link)] {
        let answer = deliver(&*fixture.port, &mail("ada@example.com", kind)).await;
        assert!(!format!("{answer:?}").contains("a-token-for-no-log"));
    }
    assert!(!log::holds("a-token-for-no-log"), "the token is logged");
}

pub async fn the_code_is_in_no_log(fixture: &MailFixture) {
    log::listen();
    let sent = mail("ada@example.com", join("a-code-for-no-log"));
    let answer = deliver(&*fixture.port, &sent).await;
    assert!(!format!("{answer:?}").contains("a-code-for-no-log"));
    assert!(!log::holds("a-code-for-no-log"), "the code is logged");
}
