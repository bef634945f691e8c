#![doc = include_str!("../README.md")]

mod config;
mod letter;
mod line;
mod post;
mod stream;
mod templates;
mod trouble;
mod values;
mod words;

use async_trait::async_trait;
use domain::id::MessageId;
use domain::message::MailMessage;
use domain::ports::{Delivery, Mailer, PortError};

pub use config::{SmtpConfig, SmtpError};
pub use templates::TemplateError;

use letter::Sender;
use post::Post;
use templates::Templates;

/// Sends mail by a mail server.
#[derive(Debug)]
pub struct SmtpMailer {
    sender: Sender,
    templates: Templates,
    post: Post,
}

impl SmtpMailer {
    /// Makes ready to send, and asks nobody yet: whatever is wrong here is wrong with the configuration.
    ///
    /// # Errors
    /// [`SmtpError`]: a sender that is none, authorities or templates that cannot be used.
    pub fn open(config: &SmtpConfig) -> Result<Self, SmtpError> {
        Ok(Self {
            sender: Sender::parse(&config.from)?,
            templates: Templates::load(config.templates_dir.as_deref(), &config.service_name)?,
            post: Post::open(config)?,
        })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    fn is_local(&self) -> bool {
        false
    }

    async fn send(&self, id: &MessageId, message: &MailMessage) -> Result<Delivery, PortError> {
        let words = match self.templates.write(message) {
            Ok(words) => words,
            Err(error) => {
                tracing::error!(%error, "a mail cannot be written");
                return Ok(Delivery::Refused { reason: "template" });
            }
        };
        match letter::seal(&self.sender, id, &message.to, words) {
            Some(letter) => self.post.deliver(&letter).await,
            None => Ok(Delivery::Unreachable { reason: "address" }),
        }
    }
}
