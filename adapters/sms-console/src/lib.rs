#![doc = include_str!("../README.md")]

use std::io::{Stdout, Write, stdout};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::id::MessageId;
use domain::message::SmsMessage;
use domain::ports::{Delivery, PortError, SmsSender};

/// Prints codes, by default on standard output.
#[derive(Debug)]
pub struct ConsoleSmsSender<W = Stdout>(Mutex<W>);

impl ConsoleSmsSender {
    /// A sender that prints on standard output.
    pub fn new() -> Self {
        Self::writing_to(stdout())
    }
}

impl Default for ConsoleSmsSender {
    fn default() -> Self {
        Self::new()
    }
}

impl<W: Write> ConsoleSmsSender<W> {
    /// A sender that prints somewhere else.
    pub const fn writing_to(console: W) -> Self {
        Self(Mutex::new(console))
    }
}

#[async_trait]
impl<W: Write + Send> SmsSender for ConsoleSmsSender<W> {
    fn reaches_without_number(&self) -> bool {
        true
    }

    fn is_local(&self) -> bool {
        true
    }

    async fn send(&self, _: &MessageId, message: &SmsMessage) -> Result<Delivery, PortError> {
        let line = line(message);
        let mut console = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        console
            .write_all(line.as_bytes())
            .and_then(|()| console.flush())
            .map(|()| Delivery::Sent)
            .map_err(PortError::unavailable)
    }
}

fn line(message: &SmsMessage) -> String {
    let name: String = message.name.chars().map(printable).collect();
    let code: String = message.code.expose().chars().map(printable).collect();
    format!("Two factor code for {name}: {code}\n")
}

/// A character that stays on its line and in its direction.
fn printable(c: char) -> char {
    let is_line_end = matches!(c, '\u{2028}' | '\u{2029}');
    let is_direction = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    if c.is_control() || is_line_end || is_direction {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{PoolName, UserId, UserKey};
    use domain::secret::Secret;
    use domain::time::Lifetime;

    fn message(name: &str) -> SmsMessage {
        SmsMessage {
            user: UserKey::new(PoolName::new("Users"), UserId::new("1")),
            name: name.to_owned(),
            phone: None,
            code: Secret::new("123456"),
            life: Lifetime::from_secs(60),
            language: "en".to_owned(),
        }
    }

    #[test]
    fn the_line_names_the_receiver_and_the_code() {
        assert_eq!(
            line(&message("ada@example.com")),
            "Two factor code for ada@example.com: 123456\n"
        );
        assert_eq!(
            line(&message("Zoë 李雷")),
            "Two factor code for Zoë 李雷: 123456\n"
        );
    }

    #[test]
    fn a_name_cannot_forge_a_line_or_turn_it_around() {
        let forged = line(&message(
            "a\r\nTwo factor code for b: 1\u{1b}[2J\u{2028}\u{202e}\u{85}\0",
        ));
        assert_eq!(
            forged.matches(char::is_control).count(),
            1,
            "only the end of the line"
        );
        assert!(forged.ends_with(": 123456\n"));
        assert!(!forged.contains(['\u{2028}', '\u{202e}']));
    }

    /// Takes whole lines only, and counts the calls.
    struct Calls(std::sync::mpsc::Sender<Vec<u8>>);

    impl Write for Calls {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_message_is_one_write() {
        let (calls, called) = std::sync::mpsc::channel();
        let sender = ConsoleSmsSender::writing_to(Calls(calls));
        let sent = sender.send(&MessageId::new("m"), &message("ada")).await;
        assert_eq!(sent.unwrap(), Delivery::Sent);
        drop(sender);
        let written: Vec<_> = called.iter().collect();
        assert_eq!(written, [b"Two factor code for ada: 123456\n"]);
    }

    /// A console somebody has closed.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    }

    #[tokio::test]
    async fn a_closed_console_is_unavailable() {
        let sender = ConsoleSmsSender::writing_to(Closed);
        let answer = sender.send(&MessageId::new("m"), &message("ada")).await;
        assert!(matches!(answer, Err(PortError::Unavailable { .. })), "{answer:?}");
    }
}
