use async_trait::async_trait;

use super::{Delivery, PortError};
use crate::id::MessageId;
use crate::message::MailMessage;

/// Sends mail.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Mailer: Send + Sync {
    /// Whether it delivers at once, on this very machine: then nothing is kept in the outbox first (the console).
    fn is_local(&self) -> bool;

    /// Sends a mail; `id` is the same in every attempt, and part of its Message-ID. MUST write to `to` and to nobody else. MUST NOT put
    /// the link into any log. MUST answer within 30 seconds.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] where the carrier cannot be reached.
    async fn send(&self, id: &MessageId, message: &MailMessage) -> Result<Delivery, PortError>;
}
