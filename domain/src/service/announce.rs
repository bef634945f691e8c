//! Writing down what was decided, and telling it to the services that asked to hear it.

use super::Services;
use crate::audit::AuditEvent;
use crate::outbox::Message;
use crate::ports::PortError;
use crate::webhook;

impl Services {
    /// Writes an event down, and keeps it for every webhook that hears it: what is acknowledged will be told. Nobody waits for a service
    /// to answer.
    pub(super) async fn note(&self, event: &AuditEvent) -> Result<(), PortError> {
        self.ports.audit.append(event).await?;
        let webhooks = self.policy.access.webhooks.iter();
        for webhook in webhooks.filter(|webhook| webhook.hears(event)) {
            if let Some(message) = webhook::message(webhook, event) {
                self.keep_for_later(Message::Webhook(Box::new(message))).await?;
            }
        }
        Ok(())
    }
}
