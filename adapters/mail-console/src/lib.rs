#![doc = include_str!("../README.md")]

mod letter;

use std::io::{Stdout, Write, stdout};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::id::MessageId;
use domain::message::MailMessage;
use domain::ports::{Delivery, Mailer, PortError};

/// Prints mail, by default on standard output.
#[derive(Debug)]
pub struct ConsoleMailer<W = Stdout> {
    from: String,
    console: Mutex<W>,
}

impl ConsoleMailer {
    /// A mailer that prints on standard output. `from` is the sender as it shall be read, `Name <address>` for example.
    pub fn new(from: impl Into<String>) -> Self {
        Self::writing_to(from, stdout())
    }
}

impl<W: Write> ConsoleMailer<W> {
    /// A mailer that prints somewhere else.
    pub fn writing_to(from: impl Into<String>, console: W) -> Self {
        Self {
            from: from.into(),
            console: Mutex::new(console),
        }
    }
}

#[async_trait]
impl<W: Write + Send> Mailer for ConsoleMailer<W> {
    fn is_local(&self) -> bool {
        true
    }

    async fn send(&self, _: &MessageId, message: &MailMessage) -> Result<Delivery, PortError> {
        let letter = letter::write(&self.from, message);
        let mut console = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        console
            .write_all(letter.as_bytes())
            .and_then(|()| console.flush())
            .map_err(PortError::unavailable)?;
        Ok(Delivery::Sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{PoolName, UserId, UserKey};
    use domain::message::MailKind;
    use domain::user::Email;

    fn message() -> MailMessage {
        MailMessage {
            user: UserKey::new(PoolName::new("Users"), UserId::new("1")),
            to: Email::parse("ada@example.com", false).unwrap(),
            kind: MailKind::AlreadyRegistered,
            language: "en".to_owned(),
        }
    }

    fn id() -> MessageId {
        MessageId::new("1")
    }

    /// Passes every call on.
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
    async fn a_mail_is_one_write() {
        let (calls, called) = std::sync::mpsc::channel();
        let mailer = ConsoleMailer::writing_to("noreply@example.com", Calls(calls));
        mailer.send(&id(), &message()).await.unwrap();
        drop(mailer);
        assert_eq!(called.iter().count(), 1);
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
        let answer = ConsoleMailer::writing_to("noreply@example.com", Closed)
            .send(&id(), &message())
            .await;
        assert!(matches!(answer, Err(PortError::Unavailable { .. })), "{answer:?}");
    }
}
