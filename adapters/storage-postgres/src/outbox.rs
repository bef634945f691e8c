//! Messages on their way to a carrier. What attempts change stands in columns, which hold; the record beside them is written once.

use async_trait::async_trait;
use domain::id::MessageId;
use domain::outbox::{Lane, OutboxMessage, OutboxPage, Settled};
use domain::ports::{Outbox, PageMark, PortError};
use domain::time::{Lifetime, Timestamp};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::rows::{self, at_most, bytes};
use crate::statement::Value;
use crate::store::PostgresStore;

// The same message twice is one message, which may have been claimed since: a caller that got no answer may ask again.
const PUT: &str = "\
    INSERT INTO outbox (id, due, expires, attempts, settled, held_until, record, services) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
    ON CONFLICT (id) DO NOTHING";
// Of racing claims each passes over what another has locked; what was claimed a moment ago is seen when its lock is got.
const CLAIM: &str = "\
    WITH claimable AS (\
        SELECT id FROM outbox WHERE due <= $1 AND (held_until IS NULL OR held_until <= $1) \
        AND services = $4 ORDER BY due, id LIMIT $3 FOR UPDATE SKIP LOCKED\
    ) \
    UPDATE outbox SET attempts = outbox.attempts + 1, held_until = $2 \
    FROM claimable WHERE outbox.id = claimable.id \
    RETURNING outbox.id, due, attempts, settled, held_until, record";
const FORGET: &str = "DELETE FROM outbox WHERE id = $1 AND attempts = $2 RETURNING id";
const RELEASE: &str = "\
    UPDATE outbox SET due = $3, settled = attempts, held_until = NULL WHERE id = $1 AND attempts = $2 RETURNING id";
const FIRST_PAGE: &str =
    "SELECT id, due, attempts, settled, held_until, record FROM outbox ORDER BY id LIMIT $1";
const NEXT_PAGE: &str = "\
    SELECT id, due, attempts, settled, held_until, record FROM outbox WHERE id > $1 ORDER BY id LIMIT $2";
const PURGE: &str = "DELETE FROM outbox WHERE id = ANY (ARRAY(\
    SELECT id FROM outbox WHERE expires < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING id";

/// The column that parts the lanes: 1 for services.
fn is_for_services(lane: Lane) -> Value {
    i64::from(lane == Lane::Services).into()
}

fn encode(message: &OutboxMessage) -> Result<Vec<Value>, PortError> {
    Ok(vec![
        bytes(message.id.as_str()),
        message.due.as_millis().into(),
        message.expires.as_millis().into(),
        i64::from(message.attempts).into(),
        i64::from(message.settled).into(),
        Value::MaybeInt(message.held_until.map(Timestamp::as_millis)),
        rows::record(message)?,
        is_for_services(message.channel.lane()),
    ])
}

fn decode(row: &PgRow) -> Result<OutboxMessage, PortError> {
    let message = rows::decode::<OutboxMessage, OutboxMessage>("message", row)?;
    let current = || {
        Some(OutboxMessage {
            due: Timestamp::from_millis(row.try_get("due").ok()?),
            attempts: u32::try_from(row.try_get::<i64, _>("attempts").ok()?).ok()?,
            settled: u32::try_from(row.try_get::<i64, _>("settled").ok()?).ok()?,
            held_until: row
                .try_get::<Option<i64>, _>("held_until")
                .ok()?
                .map(Timestamp::from_millis),
            ..message.clone()
        })
    };
    current().ok_or_else(|| PortError::corrupt(format!("message {}", message.id)))
}

#[async_trait]
impl Outbox for PostgresStore {
    async fn put(&self, message: &OutboxMessage) -> Result<(), PortError> {
        self.write(PUT, encode(message)?).await.map(drop)
    }

    async fn claim(
        &self,
        lane: Lane,
        now: Timestamp,
        hold: Lifetime,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>, PortError> {
        let until = now.plus(hold).as_millis();
        let values = vec![
            now.as_millis().into(),
            until.into(),
            at_most(limit),
            is_for_services(lane),
        ];
        let claimed = self.write(CLAIM, values).await?;
        let mut claimed: Vec<OutboxMessage> = claimed.iter().map(decode).collect::<Result<_, _>>()?;
        claimed.sort_by(|a, b| (a.due, &a.id).cmp(&(b.due, &b.id)));
        Ok(claimed)
    }

    async fn settle(&self, id: &MessageId, attempt: u32, how: Settled) -> Result<bool, PortError> {
        let mut values = vec![bytes(id.as_str()), i64::from(attempt).into()];
        let settled = match how {
            Settled::Done => self.write(FORGET, values).await?,
            Settled::Again { due } => {
                values.push(due.as_millis().into());
                self.write(RELEASE, values).await?
            }
        };
        Ok(!settled.is_empty())
    }

    async fn list(&self, after: Option<&'_ PageMark>, limit: usize) -> Result<OutboxPage, PortError> {
        let page = match after {
            Some(PageMark(mark)) => self.read(NEXT_PAGE, vec![bytes(mark), at_most(limit)]).await?,
            None => self.read(FIRST_PAGE, vec![at_most(limit)]).await?,
        };
        let messages: Vec<OutboxMessage> = page.iter().map(decode).collect::<Result<_, _>>()?;
        let last = messages.last().filter(|_| messages.len() == limit);
        let next = last.map(|message| PageMark(message.id.to_string()));
        Ok(OutboxPage { messages, next })
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_by(PURGE, now).await
    }
}
