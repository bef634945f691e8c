use async_trait::async_trait;

use super::PortError;
use crate::message::SmsMessage;

/// Sends one-time codes.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait SmsSender: Send + Sync {
    /// Whether a message without a phone number can be delivered (the console can).
    fn reaches_without_number(&self) -> bool;

    /// Sends a message, or takes responsibility for sending it. MUST NOT put the code or the whole number into any log.
    async fn send(&self, message: &SmsMessage) -> Result<(), PortError>;
}
