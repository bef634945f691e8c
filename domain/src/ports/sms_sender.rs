use async_trait::async_trait;

use super::PortError;
use crate::id::MessageId;
use crate::message::SmsMessage;
use crate::time::Lifetime;

/// What a carrier made of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It took it.
    Sent,
    /// It did not take it now, and may later. Known not to be sent.
    NotNow {
        /// When it asks to be asked again.
        retry_after: Option<Lifetime>,
        /// Why, in stable words (`throttled`).
        reason: &'static str,
    },
    /// It will never take it: the number or address cannot be reached.
    Unreachable {
        /// Why, in stable words (`unroutable`).
        reason: &'static str,
    },
    /// It takes nothing from us: credentials, credit, sender. Somebody has to look.
    Refused {
        /// Why, in stable words (`credentials`).
        reason: &'static str,
    },
    /// Nobody knows: the line broke after the message was on it.
    Unknown,
}

/// Sends one-time codes.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait SmsSender: Send + Sync {
    /// Whether a message without a phone number can be delivered (the console can).
    fn reaches_without_number(&self) -> bool;

    /// Whether it delivers at once, on this very machine: then nothing is kept in the outbox first (the console).
    fn is_local(&self) -> bool;

    /// Sends a message, once; `id` is the same in every attempt. MUST NOT put the code or the whole number into any log. MUST answer
    /// within 10 seconds.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] only where it is certain that the message was not sent; else [`Delivery::Unknown`].
    async fn send(&self, id: &MessageId, message: &SmsMessage) -> Result<Delivery, PortError>;
}
