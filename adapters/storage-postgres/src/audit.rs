//! The audit log, newest event first: by the number each got when it arrived.
//!
//! What is found by an index alone is asked for at once: the events of a user, of a request, of a short while. All else reads the
//! log backwards, so many numbers at a time, and comes to a page within a bounded time however rare it is.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::audit::{AuditEvent, AuditPage, AuditQuery, NetworkHash};
use domain::id::{PoolName, UserId, UserKey};
use domain::origin::RequestId;
use domain::ports::{AuditLog, PageMark, PortError};
use domain::stored::StoredAuditEvent;
use domain::time::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::rows::{self, at_most, bytes, maybe_bytes};
use crate::statement::Value;
use crate::store::PostgresStore;

/// Numbers read at a time.
const STRETCH: i64 = 20_000;
/// Events in a while that is short.
const FEW: i64 = 10_000;
/// How long a page is looked for: one that is not full by then goes on from there.
const PATIENCE: Duration = Duration::from_secs(1);

const APPEND: &str = "INSERT INTO audit (at, kind, pool, user_id, network, request, record) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const PURGE: &str = "DELETE FROM audit WHERE seq = ANY (ARRAY(\
    SELECT seq FROM audit WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING seq";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT seq, record FROM audit WHERE seq < $1 AND at >= $2 AND at <= $3 \
             AND (cardinality($4::text[]) = 0 OR kind = ANY ($4)) AND ($5::bytea IS NULL OR network = $5) \
             AND ($6::bytea IS NULL OR request = $6) AND ($7::text IS NULL OR pool = $7) ",
            $rest
        )
    };
}
const OF_USER: &str = select!("AND user_id = $9 AND pool = $7 ORDER BY seq DESC LIMIT $8");
const OF_REQUEST: &str = select!("AND request = $6 ORDER BY seq DESC LIMIT $8");
// Not in the order of the primary key: the index of moments is to be used.
const OF_A_WHILE: &str = select!("ORDER BY seq + 0 DESC LIMIT $8");
const OF_A_STRETCH: &str = select!("AND seq >= $9 ORDER BY seq DESC LIMIT $8");
const ENDS: &str = "SELECT max(seq), min(seq) FROM audit WHERE seq < $1";
const HOW_MANY: &str =
    "SELECT count(*) FROM (SELECT FROM audit WHERE at >= $1 AND at <= $2 LIMIT $3) AS counted";

/// An event's columns beside its record, in the order of [`APPEND`].
pub(crate) fn columns(stored: &StoredAuditEvent) -> [Value; 5] {
    [
        stored.kind.name().into(),
        Value::MaybeText(stored.pool.as_ref().map(|pool| pool.as_str().to_owned())),
        maybe_bytes(stored.user.as_ref().map(UserId::as_str)),
        maybe_bytes(stored.network.as_ref().map(NetworkHash::as_str)),
        maybe_bytes(stored.request.as_deref()),
    ]
}

/// The first and last moments of a query.
fn moments(query: &AuditQuery) -> (i64, i64) {
    let since = query.since.map_or(i64::MIN, Timestamp::as_millis);
    let until = query
        .until
        .map_or(i64::MAX, |until| until.as_millis().saturating_sub(1));
    (since, until)
}

/// The values of a `select!`.
fn values(query: &AuditQuery, below: i64, limit: usize) -> Vec<Value> {
    let (since, until) = moments(query);
    let user = query.user.as_ref();
    let pool: Option<&PoolName> = user.map(|user| &user.pool).or(query.pool.as_ref());
    let kinds = query.kinds.iter().map(|kind| kind.name().to_owned());
    vec![
        below.into(),
        since.into(),
        until.into(),
        Value::Texts(kinds.collect()),
        maybe_bytes(query.network.as_ref().map(NetworkHash::as_str)),
        maybe_bytes(query.request.as_ref().map(RequestId::as_str)),
        Value::MaybeText(pool.map(|pool| pool.as_str().to_owned())),
        at_most(limit),
    ]
}

fn number(row: &PgRow) -> i64 {
    row.try_get("seq").unwrap_or(i64::MIN)
}

fn decode(rows: &[PgRow]) -> Result<Vec<AuditEvent>, PortError> {
    rows::all::<StoredAuditEvent, AuditEvent>("audit event", rows)
}

fn mark(below: i64) -> PageMark {
    PageMark(below.to_string())
}

impl PostgresStore {
    /// A page by one statement.
    async fn events_at_once(
        &self,
        sql: &'static str,
        values: Vec<Value>,
        limit: usize,
    ) -> Result<AuditPage, PortError> {
        let rows = self.read(sql, values).await?;
        let last = rows.last().filter(|_| rows.len() == limit);
        Ok(AuditPage {
            next: last.map(|row| mark(number(row))),
            events: decode(&rows)?,
        })
    }

    /// Whether an index alone finds all that happened in the while that is asked for.
    async fn is_short_while(&self, query: &AuditQuery) -> Result<bool, PortError> {
        if query.since.is_none() && query.until.is_none() {
            return Ok(false);
        }
        let (since, until) = moments(query);
        let counted = self
            .read(HOW_MANY, vec![since.into(), until.into(), (FEW + 1).into()])
            .await?;
        let counted: i64 = counted
            .first()
            .and_then(|row| row.try_get(0).ok())
            .unwrap_or(i64::MAX);
        Ok(counted <= FEW)
    }

    /// A page by reading the log backwards.
    async fn events_backwards(
        &self,
        query: &AuditQuery,
        below: i64,
        limit: usize,
    ) -> Result<AuditPage, PortError> {
        let began = Instant::now();
        let ends = self.read(ENDS, vec![below.into()]).await?;
        let end = |column: usize| ends.first().and_then(|row| row.try_get::<i64, _>(column).ok());
        let (Some(newest), Some(oldest)) = (end(0), end(1)) else {
            return Ok(AuditPage::default());
        };
        let mut below = newest.saturating_add(1);
        let mut events = Vec::new();
        while below > oldest && events.len() < limit && began.elapsed() < PATIENCE {
            let from = below.saturating_sub(STRETCH).max(oldest);
            let room = limit - events.len();
            let mut values = values(query, below, room);
            values.push(from.into());
            let found = self.read(OF_A_STRETCH, values).await?;
            let last = found.last().filter(|_| found.len() == room);
            below = last.map_or(from, number);
            events.extend(decode(&found)?);
        }
        let next = (below > oldest).then(|| mark(below));
        Ok(AuditPage { events, next })
    }
}

#[async_trait]
impl AuditLog for PostgresStore {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        let stored = StoredAuditEvent::from(event);
        let mut values = vec![event.at.as_millis().into()];
        values.extend(columns(&stored));
        values.push(rows::record(&stored)?);
        self.write(APPEND, values).await.map(drop)
    }

    async fn find(
        &self,
        query: &AuditQuery,
        after: Option<&'_ PageMark>,
        limit: usize,
    ) -> Result<AuditPage, PortError> {
        let below = after.map_or(Ok(i64::MAX), |mark| mark.0.parse());
        let below = below.map_err(|_| PortError::corrupt("the mark of a page of audit events"))?;
        let elsewhere = |user: &UserKey| query.pool.as_ref().is_some_and(|pool| *pool != user.pool);
        if limit == 0 || query.user.as_ref().is_some_and(elsewhere) {
            return Ok(AuditPage::default());
        }
        if !self.sort_events(PATIENCE).await? {
            // What is not sorted yet might fit: to be asked again from here.
            let (events, next) = (Vec::new(), Some(mark(below)));
            return Ok(AuditPage { events, next });
        }
        let mut values = values(query, below, limit);
        if let Some(user) = &query.user {
            values.push(bytes(user.id.as_str()));
            self.events_at_once(OF_USER, values, limit).await
        } else if query.request.is_some() {
            self.events_at_once(OF_REQUEST, values, limit).await
        } else if self.is_short_while(query).await? {
            self.events_at_once(OF_A_WHILE, values, limit).await
        } else {
            self.events_backwards(query, below, limit).await
        }
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, PortError> {
        let purged = self.purge_by(PURGE, before).await?;
        self.sort_events(PATIENCE).await?;
        Ok(purged)
    }
}
