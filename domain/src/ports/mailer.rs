use async_trait::async_trait;

use super::PortError;
use crate::message::MailMessage;

/// Sends mail.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Mailer: Send + Sync {
    /// Sends a mail, or takes responsibility for sending it. MUST write to `to` and to nobody else. MUST NOT put the link into any
    /// log.
    async fn send(&self, message: &MailMessage) -> Result<(), PortError>;
}
