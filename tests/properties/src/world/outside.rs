//! What is not a store: hasher, senders, audit log, clock, chance.

use async_trait::async_trait;
use domain::audit::{AuditEvent, AuditPage, AuditQuery};
use domain::credential::{Password, PasswordHash};
use domain::entropy::Entropy;
use domain::id::MessageId;
use domain::message::{MailMessage, SmsMessage};
use domain::outbox::{Lane, OutboxMessage, OutboxPage, Settled};
use domain::ports::{
    AuditLog, Clock, Delivery, EntropySource, Mailer, Outbox, PageMark, PasswordHasher, PortError, SmsSender,
    Verified,
};
use domain::time::{Lifetime, Timestamp};

use super::{Contents, Seeded, World};

impl Contents {
    /// A hash that can be read: here the rules are on trial, not the hash.
    fn readable_hash(&mut self, password: &Password) -> PasswordHash {
        self.hashed += 1;
        PasswordHash::new(format!(
            "{}${}${}",
            self.generation,
            self.hashed,
            password.expose()
        ))
    }
}

/// The password a hash of this world was made from.
pub fn password_of(hash: &PasswordHash) -> Option<&str> {
    hash.as_str().splitn(3, '$').nth(2)
}

#[async_trait]
impl PasswordHasher for World {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, PortError> {
        self.tick();
        Ok(self.contents().readable_hash(password))
    }

    async fn verify(
        &self,
        password: &Password,
        hash: Option<&'_ PasswordHash>,
    ) -> Result<Verified, PortError> {
        self.tick();
        let mut contents = self.contents();
        contents.compared += 1;
        if hash.and_then(password_of) != Some(password.expose()) {
            return Ok(Verified::Wrong);
        }
        let current = format!("{}$", contents.generation);
        if hash.is_some_and(|hash| hash.as_str().starts_with(&current)) {
            return Ok(Verified::Right);
        }
        Ok(Verified::RightAndRehashed(contents.readable_hash(password)))
    }
}

#[async_trait]
impl SmsSender for World {
    fn reaches_without_number(&self) -> bool {
        self.contents().reaches_without_number
    }

    fn is_local(&self) -> bool {
        true
    }

    async fn send(&self, _: &MessageId, message: &SmsMessage) -> Result<Delivery, PortError> {
        self.tick();
        self.contents().sms.push(message.clone());
        Ok(Delivery::Sent)
    }
}

#[async_trait]
impl Mailer for World {
    fn is_local(&self) -> bool {
        true
    }

    async fn send(&self, _: &MessageId, message: &MailMessage) -> Result<Delivery, PortError> {
        self.tick();
        self.contents().mails.push(message.clone());
        Ok(Delivery::Sent)
    }
}

#[async_trait]
impl AuditLog for World {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        self.tick();
        self.contents().audit.push(event.clone());
        Ok(())
    }

    async fn find(
        &self,
        query: &AuditQuery,
        _: Option<&'_ PageMark>,
        limit: usize,
    ) -> Result<AuditPage, PortError> {
        self.tick();
        let contents = self.contents();
        let fitting = contents.audit.iter().rev().filter(|event| query.fits(event));
        Ok(AuditPage {
            events: fitting.take(limit).cloned().collect(),
            next: None,
        })
    }

    async fn purge(&self, _: Timestamp) -> Result<u64, PortError> {
        Ok(0)
    }
}

#[async_trait]
impl Outbox for World {
    async fn put(&self, message: &OutboxMessage) -> Result<(), PortError> {
        self.tick();
        self.contents()
            .outbox
            .insert(message.id.as_str().to_owned(), message.clone());
        Ok(())
    }

    async fn claim(
        &self,
        lane: Lane,
        now: Timestamp,
        hold: Lifetime,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>, PortError> {
        self.tick();
        let mut contents = self.contents();
        let due = contents
            .outbox
            .values_mut()
            .filter(|message| message.channel.lane() == lane && message.is_claimable(now));
        let mut claimed = Vec::new();
        for message in due.take(limit) {
            *message = message.clone().claimed(now, hold);
            claimed.push(message.clone());
        }
        Ok(claimed)
    }

    async fn settle(&self, id: &MessageId, attempt: u32, how: Settled) -> Result<bool, PortError> {
        self.tick();
        let mut contents = self.contents();
        let current = contents
            .outbox
            .get(id.as_str())
            .filter(|message| message.attempts == attempt)
            .cloned();
        let Some(message) = current else {
            return Ok(false);
        };
        match how {
            Settled::Done => contents.outbox.remove(id.as_str()),
            Settled::Again { due } => contents
                .outbox
                .insert(id.as_str().to_owned(), message.released(due)),
        };
        Ok(true)
    }

    async fn list(&self, _: Option<&'_ PageMark>, _: usize) -> Result<OutboxPage, PortError> {
        let messages = self.contents().outbox.values().cloned().collect();
        Ok(OutboxPage { messages, next: None })
    }

    async fn purge(&self, _: Timestamp) -> Result<u64, PortError> {
        Ok(0)
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.contents().now()
    }
}

impl EntropySource for World {
    fn open(&self) -> Box<dyn Entropy + Send> {
        let mut contents = self.contents();
        contents.drawn = contents
            .drawn
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        Box::new(Seeded(contents.drawn))
    }
}
