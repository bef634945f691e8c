//! Messages on their way to a carrier: one document each, changed by single operations that compare first.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::id::MessageId;
use domain::outbox::{Channel, Lane, OutboxMessage, OutboxPage, Settled};
use domain::ports::{Outbox, PageMark, PortError};
use domain::time::{Lifetime, Timestamp};
use mongodb::bson::{Document, doc};
use mongodb::options::ReturnDocument;

use crate::connection::Base;
use crate::documents::{OUTBOX, of_message, to_message};
use crate::error::{Answer, is_duplicate};
use crate::store::MongoStore;

/// How long one call goes on claiming: each claim is an operation of its own.
const PATIENCE: Duration = Duration::from_secs(1);

/// What an attempt is told apart by.
fn attempt_of(id: &MessageId, attempt: u32) -> Document {
    doc! { "_id": id.as_str(), "record.attempts": i64::from(attempt) }
}

/// The names of a lane's channels.
fn channels(lane: Lane) -> Vec<&'static str> {
    let all = Channel::ALL.into_iter();
    all.filter(|channel| channel.lane() == lane)
        .map(Channel::name)
        .collect()
}

/// Claims the message of a lane that is due the longest.
async fn claim_one(base: &Base, lane: Lane, now: Timestamp, until: Timestamp) -> Answer<Option<Document>> {
    let claimable = doc! {
        "record.due": { "$lte": now.as_millis() },
        "ready": { "$lte": now.as_millis() },
        "record.channel": { "$in": channels(lane) },
    };
    let claimed = doc! {
        "$inc": { "record.attempts": 1_i64 },
        "$set": { "record.held_until": until.as_millis(), "ready": until.as_millis() },
    };
    let messages = base.of(OUTBOX);
    let claim = messages
        .find_one_and_update(claimable, claimed)
        .sort(doc! { "record.due": 1, "_id": 1 })
        .return_document(ReturnDocument::After);
    Ok(claim.await?)
}

/// Claims one after the other. What was claimed is handed out whatever became of the next: nobody else may try it now.
async fn claim(
    base: &Base,
    lane: Lane,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Answer<Vec<Document>> {
    let began = Instant::now();
    let mut claimed = Vec::new();
    while claimed.len() < limit && began.elapsed() < PATIENCE {
        match claim_one(base, lane, now, until).await {
            Ok(Some(message)) => claimed.push(message),
            Err(fault) if claimed.is_empty() => return Err(fault),
            Ok(None) | Err(_) => break,
        }
    }
    Ok(claimed)
}

#[async_trait]
impl Outbox for MongoStore {
    async fn put(&self, message: &OutboxMessage) -> Result<(), PortError> {
        let document = of_message(message)?;
        self.run(|base| async move {
            match base.of(OUTBOX).insert_one(document).await {
                // The same message twice is one message, which may have been claimed since.
                Err(error) if !is_duplicate(&error) => Err(error.into()),
                Ok(_) | Err(_) => Ok(()),
            }
        })
        .await
    }

    async fn claim(
        &self,
        lane: Lane,
        now: Timestamp,
        hold: Lifetime,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>, PortError> {
        let until = now.plus(hold);
        let claimed = self
            .run(move |base| async move { claim(&base, lane, now, until, limit).await })
            .await?;
        claimed.into_iter().map(to_message).collect()
    }

    async fn settle(&self, id: &MessageId, attempt: u32, how: Settled) -> Result<bool, PortError> {
        let guard = attempt_of(id, attempt);
        self.run(move |base| async move {
            let messages = base.of(OUTBOX);
            let Settled::Again { due } = how else {
                return Ok(messages.delete_one(guard).await?.deleted_count == 1);
            };
            let due = due.as_millis();
            let released = doc! {
                "$set": { "record.due": due, "ready": due, "record.settled": i64::from(attempt) },
                "$unset": { "record.held_until": "" },
            };
            Ok(messages.update_one(guard, released).await?.matched_count == 1)
        })
        .await
    }

    async fn list(&self, after: Option<&'_ PageMark>, limit: usize) -> Result<OutboxPage, PortError> {
        let filter = after.map_or_else(|| doc! {}, |mark| doc! { "_id": { "$gt": &mark.0 } });
        let found = self
            .run(move |base| async move { base.all(OUTBOX, filter, doc! { "_id": 1 }, limit).await })
            .await?;
        let messages: Vec<OutboxMessage> = found.into_iter().map(to_message).collect::<Result<_, _>>()?;
        let last = messages.last().filter(|_| messages.len() == limit);
        let next = last.map(|message| PageMark(message.id.to_string()));
        Ok(OutboxPage { messages, next })
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_below(OUTBOX, "expires", now).await
    }
}
