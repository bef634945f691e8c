use async_trait::async_trait;

use super::{Delivery, PortError};
use crate::id::MessageId;
use crate::webhook::WebhookMessage;

/// Tells services what happened to users.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait WebhookSender: Send + Sync {
    /// Hands an event to its endpoint; `id` is the same in every attempt, for the service to tell repetitions by.
    ///
    /// MUST send the body byte by byte. MUST sign it with every secret of the endpoint. MUST say [`Delivery::Unreachable`] for an endpoint
    /// that is not there any more, in the configuration or by its own word, and else believe only a success (2xx). MUST NOT follow a
    /// redirection. MUST NOT put a secret or the body into any log or error. MUST answer within 20 seconds.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] where the endpoint cannot be reached.
    async fn send(&self, id: &MessageId, message: &WebhookMessage) -> Result<Delivery, PortError>;
}
