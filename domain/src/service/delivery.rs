//! Sending messages: those for a carrier across a network are kept first, and tried until they are taken or of no use any more.

use super::Services;
use super::perform::Halt;
use crate::audit::{Actor, AuditEvent};
use crate::error::DomainError;
use crate::flow::deliver::{self, Fate};
use crate::id::MessageId;
use crate::outbox::{Channel, Lane, Message, OutboxMessage, message_binding};
use crate::ports::{Delivery, PortError};
use crate::time::Lifetime;

/// How long an attempt may take before somebody else may try: longer than any carrier is waited for.
const HOLD: Lifetime = Lifetime::from_secs(60);

/// Why an event is given up whose webhook the configuration does not have any more.
const UNKNOWN: &str = "unknown_webhook";

impl Services {
    /// Sends a message, or takes responsibility for sending it. A code is tried at once, by the request that asks for it: whoever
    /// proved a first factor may hear that their number cannot be reached. A mail is not: how long it takes would tell strangers who
    /// exists. Nor is an event for a service.
    pub(super) async fn send(&self, message: Message) -> Result<(), Halt> {
        let local = match &message {
            Message::Sms(_) => self.ports.sms.is_local(),
            Message::Mail(_) => self.ports.mailer.is_local(),
            Message::Webhook(_) => false,
        };
        if !local && message.channel() != Channel::Sms {
            return Ok(self.keep_for_later(message).await?);
        }
        let now = self.ports.clock.now();
        let id = MessageId::draw(now, self.ports.entropy.open().as_mut());
        if local {
            let delivery = self.hand_over(&id, &message).await?;
            return if matches!(delivery, Delivery::Unreachable { .. }) {
                Err(Halt::Unreachable)
            } else {
                Ok(())
            };
        }
        let claimed = self.waiting(id, &message).await?.claimed(now, HOLD);
        self.ports.outbox.put(&claimed).await?;
        match self.attempt(&claimed, &message).await? {
            Some(Delivery::Unreachable { .. }) => Err(Halt::Unreachable),
            Some(Delivery::Refused { reason }) => Err(PortError::unavailable(reason).into()),
            _ => Ok(()),
        }
    }

    /// Keeps a message for [`Services::deliver`].
    pub(super) async fn keep_for_later(&self, message: Message) -> Result<(), PortError> {
        let now = self.ports.clock.now();
        let id = MessageId::draw(now, self.ports.entropy.open().as_mut());
        let waiting = self.waiting(id, &message).await?;
        self.ports.outbox.put(&waiting).await?;
        self.ring();
        Ok(())
    }

    /// A message as the outbox keeps it, sealed.
    async fn waiting(&self, id: MessageId, message: &Message) -> Result<OutboxMessage, PortError> {
        let now = self.ports.clock.now();
        let text = message
            .to_secret()
            .ok_or_else(|| PortError::corrupt("a message"))?;
        let binding = message_binding(&id, message.user());
        Ok(OutboxMessage {
            payload: self.ports.sealer.seal(&text, &binding).await?,
            id,
            user: message.user().clone(),
            channel: message.channel(),
            created: now,
            due: now,
            expires: now.plus(message.life()),
            attempts: 0,
            settled: 0,
            held_until: None,
        })
    }

    /// Tries the messages of a lane that are due, at most `limit`, and says how many there were. Call it when woken, and now and then.
    ///
    /// # Errors
    /// When the store does not answer; nothing is lost by trying again later.
    pub async fn deliver(&self, lane: Lane, limit: usize) -> Result<usize, DomainError> {
        let now = self.ports.clock.now();
        let claimed = self.ports.outbox.claim(lane, now, HOLD, limit).await?;
        let count = claimed.len();
        let mut failed = None;
        for message in claimed {
            // One that cannot be tried must not hold up those behind it.
            if let Err(error) = self.deliver_one(&message).await {
                failed = failed.or(Some(error));
            }
        }
        failed.map_or(Ok(count), |error| Err(error.into()))
    }

    async fn deliver_one(&self, message: &OutboxMessage) -> Result<(), PortError> {
        if let Some(fate) = deliver::given_up(message, self.ports.clock.now()) {
            return self.settle_message(message, fate).await;
        }
        let binding = message_binding(&message.id, &message.user);
        let text = match self.ports.sealer.open(&message.payload, &binding).await {
            // Sealed by a key that is gone: it will never be read.
            Err(PortError::Corrupt { .. }) => None,
            opened => Message::from_secret(message.channel, &message.user, &opened?)
                .map(|text| text.with_life(message.expires.since(self.ports.clock.now()))),
        };
        match text {
            Some(text) => self.attempt(message, &text).await.map(drop),
            None => self.settle_message(message, deliver::unreadable()).await,
        }
    }

    /// One attempt of a claimed message, written down before and after. `None` for a carrier that could not be reached.
    async fn attempt(
        &self,
        claimed: &OutboxMessage,
        message: &Message,
    ) -> Result<Option<Delivery>, PortError> {
        let delivery = match self.hand_over(&claimed.id, message).await {
            Ok(delivery) => Some(delivery),
            Err(error) if error.may_pass() => None,
            Err(error) => return Err(error),
        };
        let fate = deliver::judge(claimed, delivery.as_ref(), self.ports.clock.now());
        self.settle_message(claimed, fate).await?;
        if delivery.is_none() || matches!(delivery, Some(Delivery::NotNow { .. })) {
            self.ring();
        }
        Ok(delivery)
    }

    async fn settle_message(&self, message: &OutboxMessage, fate: Fate) -> Result<(), PortError> {
        let outbox = &self.ports.outbox;
        if !outbox.settle(&message.id, message.attempts, fate.settled).await? {
            return Ok(());
        }
        if !fate.is_noted(message.channel) {
            return Ok(());
        }
        let now = self.ports.clock.now();
        let event = AuditEvent::of_server(now, fate.kind, Some(message.user.clone()), Actor::Server);
        self.note(&event.about(fate.reason)).await
    }

    async fn hand_over(&self, id: &MessageId, message: &Message) -> Result<Delivery, PortError> {
        match message {
            Message::Sms(sms) => self.ports.sms.send(id, sms).await,
            Message::Mail(mail) => self.ports.mailer.send(id, mail).await,
            Message::Webhook(webhook) => match &self.ports.webhooks {
                Some(sender) => sender.send(id, webhook).await,
                // The configuration told of one when it was kept.
                None => Ok(Delivery::Unreachable { reason: UNKNOWN }),
            },
        }
    }

    fn ring(&self) {
        if let Some(wake) = &self.wake {
            wake();
        }
    }
}
