//! What every SMS sender must do.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail as tests do"
)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use conformance::sms_sender::{SmsFixture, SmsInbox};
use sms_console::ConsoleSmsSender;

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
impl SmsInbox for Screen {
    async fn delivered(&self) -> Vec<(String, String)> {
        let screen = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        screen
            .lines()
            .map(|line| {
                let told = line.strip_prefix("Two factor code for ").expect("a message");
                let (name, code) = told.split_once(": ").expect("a name and a code");
                (name.to_owned(), code.to_owned())
            })
            .collect()
    }
}

async fn fresh() -> SmsFixture {
    let screen = Screen::default();
    SmsFixture {
        port: Arc::new(ConsoleSmsSender::writing_to(screen.clone())),
        inbox: Arc::new(screen),
    }
}

conformance::sms_sender!(fresh);
