//! What every mailer must do, against a real mail server.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![cfg_attr(
    test,
    expect(dead_code, reason = "the other tests use the rest of what is shared")
)]

mod common;

use std::sync::Arc;

use async_trait::async_trait;
use conformance::mailer::{DeliveredMail, MailFixture, MailInbox};
use e2e::MailServer;
use serde_json::Value;

struct Inbox(MailServer);

#[async_trait]
impl MailInbox for Inbox {
    async fn delivered(&self) -> Vec<DeliveredMail> {
        self.0.mails().await.iter().map(read).collect()
    }
}

fn read(mail: &Value) -> DeliveredMail {
    let text = |name: &str| mail[name].as_str().unwrap().to_owned();
    DeliveredMail {
        to: mail["to"]
            .as_array()
            .unwrap()
            .iter()
            .map(|to| to.as_str().unwrap().to_owned())
            .collect(),
        subject: text("subject"),
        text: text("text"),
    }
}

async fn fresh() -> MailFixture {
    let server = MailServer::start().await;
    MailFixture {
        port: Arc::new(common::mailer_of(&server)),
        inbox: Arc::new(Inbox(server)),
    }
}

conformance::mailer!(fresh);
