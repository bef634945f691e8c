//! What is not a store: hasher, senders, audit log, clock, chance.

use async_trait::async_trait;
use domain::audit::AuditEvent;
use domain::credential::{Password, PasswordHash};
use domain::entropy::Entropy;
use domain::message::{MailMessage, SmsMessage};
use domain::ports::{AuditLog, Clock, EntropySource, Mailer, PasswordHasher, PortError, SmsSender, Verified};
use domain::time::Timestamp;

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

    async fn send(&self, message: &SmsMessage) -> Result<(), PortError> {
        self.tick();
        self.contents().sms.push(message.clone());
        Ok(())
    }
}

#[async_trait]
impl Mailer for World {
    async fn send(&self, message: &MailMessage) -> Result<(), PortError> {
        self.tick();
        self.contents().mails.push(message.clone());
        Ok(())
    }
}

#[async_trait]
impl AuditLog for World {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        self.tick();
        self.contents().audit.push(event.clone());
        Ok(())
    }

    async fn latest(&self, limit: usize) -> Result<Vec<AuditEvent>, PortError> {
        self.tick();
        Ok(self.contents().audit.iter().rev().take(limit).cloned().collect())
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
