//! Messages that wait for their carrier.

use async_trait::async_trait;
use domain::id::{MessageId, PoolName, UserId, UserKey};
use domain::outbox::{Channel, Lane, OutboxMessage, OutboxPage, Settled};
use domain::ports::{Outbox, PageMark, PortError};
use domain::secret::Sealed;
use domain::time::{Lifetime, Timestamp};
use rusqlite::{Connection, Row};

use crate::error::Answer;
use crate::rows::{self, at_most, corrupt};
use crate::store::SqliteStore;

/// Columns of a message, in the order of [`decode`].
macro_rules! columns {
    () => {
        "id, pool, user_id, channel, payload, created, due, expires, attempts, settled, held_until"
    };
}

// The same message twice is one: a caller that got no answer may ask again.
const PUT: &str = concat!(
    "INSERT INTO outbox (",
    columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (id) DO NOTHING"
);
const CLAIM: &str = concat!(
    "UPDATE outbox SET attempts = min(attempts + 1, 4294967295), held_until = ?2 WHERE id IN ",
    "(SELECT id FROM outbox WHERE due <= ?1 AND (held_until IS NULL OR held_until <= ?1) AND channel IN (?4, ?5) ORDER BY due, id LIMIT ?3) ",
    "RETURNING ",
    columns!()
);
const FORGET: &str = "DELETE FROM outbox WHERE id = ?1 AND attempts = ?2";
const RELEASE: &str =
    "UPDATE outbox SET due = ?3, settled = attempts, held_until = NULL WHERE id = ?1 AND attempts = ?2";
const FIRST_PAGE: &str = concat!("SELECT ", columns!(), " FROM outbox ORDER BY id LIMIT ?1");
const NEXT_PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM outbox WHERE id > ?1 ORDER BY id LIMIT ?2"
);
const PURGE: &str = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE expires < ?1 LIMIT ?2)";

/// The names of a lane's channels; the last one twice where a lane has fewer than the most.
const fn channels(lane: Lane) -> [&'static str; 2] {
    match lane {
        Lane::People => [Channel::Sms.name(), Channel::Mail.name()],
        Lane::Services => [Channel::Webhook.name(), Channel::Webhook.name()],
    }
}

fn decode(row: &Row<'_>) -> Answer<OutboxMessage> {
    let id: String = row.get(0)?;
    let (pool, user): (String, String) = (row.get(1)?, row.get(2)?);
    let channel = Channel::named(row.get_ref(3)?.as_str().unwrap_or_default());
    let channel = channel.ok_or_else(|| corrupt("message", &id))?;
    Ok(OutboxMessage {
        id: MessageId::new(id),
        user: UserKey::new(PoolName::new(pool), UserId::new(user)),
        channel,
        payload: Sealed::from_bytes(row.get(4)?),
        created: Timestamp::from_millis(row.get(5)?),
        due: Timestamp::from_millis(row.get(6)?),
        expires: Timestamp::from_millis(row.get(7)?),
        attempts: row.get(8)?,
        settled: row.get(9)?,
        held_until: row.get::<_, Option<i64>>(10)?.map(Timestamp::from_millis),
    })
}

fn put(connection: &Connection, message: &OutboxMessage) -> Answer<()> {
    let mut statement = connection.prepare_cached(PUT)?;
    statement.execute((
        message.id.as_str(),
        message.user.pool.as_str(),
        message.user.id.as_str(),
        message.channel.name(),
        message.payload.as_bytes(),
        message.created.as_millis(),
        message.due.as_millis(),
        message.expires.as_millis(),
        message.attempts,
        message.settled,
        message.held_until.map(Timestamp::as_millis),
    ))?;
    Ok(())
}

#[async_trait]
impl Outbox for SqliteStore {
    async fn put(&self, message: &OutboxMessage) -> Result<(), PortError> {
        let message = message.clone();
        self.write(move |connection, _| put(connection, &message)).await
    }

    async fn claim(
        &self,
        lane: Lane,
        now: Timestamp,
        hold: Lifetime,
        limit: usize,
    ) -> Result<Vec<OutboxMessage>, PortError> {
        let [one, other] = channels(lane);
        let until = now.plus(hold).as_millis();
        let parameters = (now.as_millis(), until, at_most(limit), one, other);
        let claim = move |connection: &Connection| rows::all(connection, CLAIM, parameters, decode);
        let mut claimed = self.write(move |connection, _| claim(connection)).await?;
        // Rows that a statement changed come back in any order.
        claimed.sort_by(|a, b| (a.due, &a.id).cmp(&(b.due, &b.id)));
        Ok(claimed)
    }

    async fn settle(&self, id: &MessageId, attempt: u32, how: Settled) -> Result<bool, PortError> {
        let id = id.as_str().to_owned();
        self.write(move |connection, _| {
            let settled = match how {
                Settled::Done => connection.prepare_cached(FORGET)?.execute((id, attempt))?,
                Settled::Again { due } => {
                    let mut statement = connection.prepare_cached(RELEASE)?;
                    statement.execute((id, attempt, due.as_millis()))?
                }
            };
            Ok(settled == 1)
        })
        .await
    }

    async fn list(&self, after: Option<&'_ PageMark>, limit: usize) -> Result<OutboxPage, PortError> {
        let after = after.map(|mark| mark.0.clone());
        let limit = limit.max(1);
        let most = at_most(limit);
        let messages = self.read(move |connection| match after {
            Some(after) => rows::all(connection, NEXT_PAGE, (after, most), decode),
            None => rows::all(connection, FIRST_PAGE, [most], decode),
        });
        let messages = messages.await?;
        let last = messages.last().filter(|_| messages.len() == limit);
        let next = last.map(|message| PageMark(message.id.to_string()));
        Ok(OutboxPage { messages, next })
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_by(PURGE, now).await
    }
}
