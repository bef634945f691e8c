//! Mails and events that wait for their carrier. They have no place of their own to be asked by, so that what is there is read once.

use std::collections::BTreeMap;

use domain::id::MessageId;
use domain::outbox::{Channel, OutboxMessage};
use domain::ports::PortError;
use domain::time::Timestamp;
use sha2::{Digest as _, Sha256};

use super::error::TransferError;
use super::import::{LeftOut, Put, Way};
use super::record::Record;
use super::stores::{Stores, persist};

/// Messages a store is asked for at once.
const PAGE: usize = 200;

/// Whether a message is of use elsewhere. A code is not: what it would finish stays behind. What is void is not either.
pub(super) fn travels(message: &OutboxMessage, now: Timestamp) -> bool {
    message.channel != Channel::Sms && message.expires > now
}

/// The messages of a store, by what their lines hash to.
#[derive(Debug, Default)]
pub(super) struct Waiting(BTreeMap<MessageId, [u8; 32]>);

impl Waiting {
    /// Reads all that wait.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn in_stores(stores: &Stores) -> Result<Self, TransferError> {
        let mut waiting = Self::default();
        let mut after = None;
        loop {
            let page = persist(|| stores.outbox.list(after.as_ref(), PAGE)).await;
            let page = page.map_err(TransferError::store("the messages"))?;
            for message in page.messages {
                let digest = digest(&message)?;
                waiting.0.insert(message.id, digest);
            }
            after = page.next;
            if after.is_none() {
                return Ok(waiting);
            }
        }
    }

    /// Whether a message of this id is there, and whether it is the very same.
    ///
    /// # Errors
    /// It cannot be written as a line.
    pub fn holds(&self, message: &OutboxMessage) -> Result<Option<bool>, TransferError> {
        let digest = digest(message)?;
        Ok(self.0.get(&message.id).map(|found| *found == digest))
    }
}

fn digest(message: &OutboxMessage) -> Result<[u8; 32], TransferError> {
    let line = Record::Message(message.clone()).to_line().map_err(|error| {
        TransferError::Refused(format!(
            "message {} cannot be written as JSON: {error}",
            message.id
        ))
    })?;
    Ok(Sha256::digest(line).into())
}

/// How messages are put.
#[derive(Clone, Copy)]
pub(super) struct Mode<'a> {
    pub way: Way,
    /// Whether users agree: who would be written to else?
    pub opens: bool,
    /// Whether all messages of the file were put before: what is missing was sent since.
    pub handed_over: bool,
    pub waiting: &'a Waiting,
}

/// Puts a message, unless it is there or was.
///
/// # Errors
/// The store does not answer.
pub(super) async fn put(
    stores: &Stores,
    message: &OutboxMessage,
    mode: Mode<'_>,
) -> Result<Put, TransferError> {
    let failed = |error: PortError| TransferError::store(format!("message {}", message.id))(error);
    match mode.waiting.holds(message)? {
        Some(true) => return Ok(Put::Present),
        // Tried here meanwhile.
        Some(false) => return Ok(Put::LeftOut(LeftOut::Message)),
        None => {}
    }
    if !mode.opens || absent(stores, message, mode.handed_over) {
        return Ok(Put::LeftOut(LeftOut::Message));
    }
    if mode.way != Way::LookOnly {
        persist(|| stores.outbox.put(message)).await.map_err(failed)?;
    }
    Ok(Put::New)
}

/// Whether a message is rightly not here.
pub(super) fn absent(stores: &Stores, message: &OutboxMessage, handed_over: bool) -> bool {
    handed_over || !travels(message, stores.clock.now())
}
