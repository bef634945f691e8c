//! What every mailer must do.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use conformance::mailer::{DeliveredMail, MailFixture, MailInbox};
use mail_console::ConsoleMailer;

/// A screen that can be read back.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[async_trait]
impl MailInbox for Screen {
    async fn delivered(&self) -> Vec<DeliveredMail> {
        let screen = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        screen.split("From: ").skip(1).map(read).collect()
    }
}

fn read(mail: &str) -> DeliveredMail {
    let (head, text) = mail.split_once("\n\n").expect("an empty line ends the head");
    let header = |name: &'static str| {
        head.lines()
            .filter_map(move |line| line.strip_prefix(name))
            .map(str::to_owned)
    };
    DeliveredMail {
        to: header("To: ")
            .chain(header("Cc: "))
            .chain(header("Bcc: "))
            .collect(),
        subject: header("Subject: ").collect(),
        text: text.to_owned(),
    }
}

async fn fresh() -> MailFixture {
    let screen = Screen::default();
    MailFixture {
        port: Arc::new(ConsoleMailer::writing_to(
            "Portcullis <noreply@example.com>",
            screen.clone(),
        )),
        inbox: Arc::new(screen),
    }
}

conformance::mailer!(fresh);
