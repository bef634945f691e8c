//! The audit log, newest event first: by the number each got when it arrived.
//!
//! What is found by an index alone is asked for at once: the events of a user, of a request, of a short while. All else reads the
//! log backwards, so many events at a time, and comes to a page within a bounded time however rare it is.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use domain::audit::{AuditEvent, AuditPage, AuditQuery};
use domain::id::UserKey;
use domain::ports::{AuditLog, PageMark, PortError};
use domain::time::Timestamp;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, doc};

use crate::connection::Base;
use crate::documents::{AUDIT, of_event, to_event};
use crate::error::Answer;
use crate::store::MongoStore;

/// Events read at a time.
const STRETCH: u64 = 5_000;
/// Events in a while that is short.
const FEW: usize = 5_000;
/// How long a page is looked for: one that is not full by then goes on from there.
const PATIENCE: Duration = Duration::from_secs(1);

/// What an event must be like, beside where it stands in the log.
fn conditions(query: &AuditQuery) -> Document {
    let mut filter = moments(query).map_or_else(Document::new, |moments| doc! { "at": moments });
    let user = query.user.as_ref();
    if let Some(user) = user {
        filter.insert("record.user", user.id.as_str());
    }
    if let Some(pool) = user.map(|user| &user.pool).or(query.pool.as_ref()) {
        filter.insert("record.pool", pool.as_str());
    }
    if !query.kinds.is_empty() {
        let kinds: Vec<&str> = query.kinds.iter().map(|kind| kind.name()).collect();
        filter.insert("record.kind", doc! { "$in": kinds });
    }
    if let Some(network) = &query.network {
        filter.insert("record.network", network.as_str());
    }
    if let Some(request) = &query.request {
        filter.insert("record.request", request.as_str());
    }
    filter
}

/// The moments that are asked for, if not all are.
fn moments(query: &AuditQuery) -> Option<Document> {
    let mut moments = Document::new();
    if let Some(since) = query.since {
        moments.insert("$gte", since.as_millis());
    }
    if let Some(until) = query.until {
        moments.insert("$lt", until.as_millis());
    }
    (!moments.is_empty()).then_some(moments)
}

/// Those between two places of the log, the second left out; either may be none.
fn between(mut filter: Document, from: Option<&str>, below: Option<&str>) -> Document {
    let mut places = Document::new();
    if let Some(from) = from {
        places.insert("$gte", from);
    }
    if let Some(below) = below {
        places.insert("$lt", below);
    }
    if !places.is_empty() {
        filter.insert("_id", places);
    }
    filter
}

fn place_of(event: &Document) -> Option<String> {
    event.get_str("_id").ok().map(str::to_owned)
}

/// Whether an index alone finds all that happened in the while that is asked for.
async fn is_short_while(base: &Base, moments: Document) -> Answer<bool> {
    let found = base
        .ids(AUDIT, doc! { "at": moments }, doc! { "at": 1 }, 0, FEW + 1)
        .await?;
    Ok(found.len() <= FEW)
}

/// The documents of a page, and where the next one begins.
struct Found {
    events: Vec<Document>,
    next: Option<String>,
}

/// A page by one question.
async fn at_once(base: &Base, filter: Document, limit: usize) -> Answer<Found> {
    let events = base.all(AUDIT, filter, doc! { "_id": -1 }, limit).await?;
    let next = events.last().filter(|_| events.len() == limit).and_then(place_of);
    Ok(Found { events, next })
}

/// A page by reading the log backwards from a place.
async fn backwards(base: &Base, filter: Document, after: Option<String>, limit: usize) -> Answer<Found> {
    let (began, newest_first) = (Instant::now(), doc! { "_id": -1 });
    let (mut below, mut events) = (after, Vec::new());
    loop {
        let part = between(Document::new(), None, below.as_deref());
        // The oldest of this stretch; none in the last one.
        let from = base.ids(AUDIT, part, newest_first.clone(), STRETCH, 1).await?;
        let from = from.first().and_then(Bson::as_str).map(str::to_owned);
        let part = between(filter.clone(), from.as_deref(), below.as_deref());
        let room = limit.saturating_sub(events.len());
        let found = base.all(AUDIT, part, newest_first.clone(), room).await?;
        let is_full = found.len() == room;
        let last = found.last().and_then(place_of);
        events.extend(found);
        if is_full {
            return Ok(Found { events, next: last });
        }
        if from.is_none() || began.elapsed() >= PATIENCE {
            return Ok(Found { events, next: from });
        }
        below = from;
    }
}

impl MongoStore {
    /// The `_id` of the next event: microseconds by our clock, always more than before, and what no other process draws. So one
    /// process keeps the order of arrival exactly, and several as well as their clocks agree.
    fn next_event(&self) -> String {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = i64::try_from(wall.as_micros()).unwrap_or(i64::MAX);
        let next = |last: i64| Some(wall.max(last.saturating_add(1)));
        let last = self
            .last_event
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, next)
            .unwrap_or_else(|last| last);
        let moment = wall.max(last.saturating_add(1));
        format!("{moment:016x}-{}", ObjectId::new().to_hex())
    }
}

#[async_trait]
impl AuditLog for MongoStore {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        let document = of_event(self.next_event(), event)?;
        self.run(|base| async move {
            base.of(AUDIT).insert_one(document).await?;
            Ok(())
        })
        .await
    }

    async fn find(
        &self,
        query: &AuditQuery,
        after: Option<&'_ PageMark>,
        limit: usize,
    ) -> Result<AuditPage, PortError> {
        let elsewhere = |user: &UserKey| query.pool.as_ref().is_some_and(|pool| *pool != user.pool);
        if limit == 0 || query.user.as_ref().is_some_and(elsewhere) {
            return Ok(AuditPage::default());
        }
        let after = after.map(|mark| mark.0.clone());
        let (filter, moments) = (conditions(query), moments(query));
        let by_index = query.user.is_some() || query.request.is_some();
        let found = self
            .run(move |base| async move {
                let by_index = by_index
                    || match moments {
                        Some(moments) => is_short_while(&base, moments).await?,
                        None => false,
                    };
                if by_index {
                    at_once(&base, between(filter, None, after.as_deref()), limit).await
                } else {
                    backwards(&base, filter, after, limit).await
                }
            })
            .await?;
        let events = found.events.into_iter().map(to_event).collect::<Result<_, _>>()?;
        let next = found.next.map(PageMark);
        Ok(AuditPage { events, next })
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, PortError> {
        self.purge_below(AUDIT, "at", before).await
    }
}
