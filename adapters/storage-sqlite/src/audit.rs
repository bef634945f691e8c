//! The audit log.

use async_trait::async_trait;
use domain::audit::{Actor, AuditEvent, AuditKind, AuditPage, AuditQuery, NetworkHash};
use domain::id::{PoolName, UserId, UserKey};
use domain::origin::RequestId;
use domain::ports::{AuditLog, PageMark, PortError};
use domain::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use crate::error::Answer;
use crate::rows::{self, at_most, corrupt};
use crate::store::SqliteStore;

const APPEND: &str = "INSERT INTO audit (at, kind, pool, user_id, actor, network, request, detail) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const SELECT: &str = "SELECT seq, at, kind, pool, user_id, actor, network, request, detail FROM audit";
const PURGE: &str = "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE at < ?1 LIMIT ?2)";

/// The stored form of whoever sends most requests; it is not parsed.
const CLIENT: &str = "\"client\"";

/// An event and its number.
fn decode(row: &Row<'_>) -> Answer<(i64, AuditEvent)> {
    let seq: i64 = row.get(0)?;
    let unreadable = || corrupt("audit event", &seq.to_string());
    let kind = AuditKind::named(row.get_ref(2)?.as_str().unwrap_or_default());
    let user: (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
    let actor = actor(row.get_ref(5)?.as_str().unwrap_or_default());
    let event = AuditEvent {
        at: Timestamp::from_millis(row.get(1)?),
        kind: kind.ok_or_else(unreadable)?,
        user: user
            .0
            .zip(user.1)
            .map(|(pool, id)| UserKey::new(PoolName::new(pool), UserId::new(id))),
        actor: actor.ok_or_else(unreadable)?,
        network: row.get::<_, Option<String>>(6)?.map(NetworkHash::restore),
        request: row.get::<_, Option<String>>(7)?.map(RequestId::new),
        detail: row.get(8)?,
    };
    Ok((seq, event))
}

fn actor(stored: &str) -> Option<Actor> {
    if stored == CLIENT {
        return Some(Actor::Client);
    }
    serde_json::from_str(stored).ok()
}

/// A question put together clause by clause: only what is asked for stands in it, so that an index can serve it.
struct Question {
    sql: String,
    values: Vec<Value>,
}

impl Question {
    /// One for a page of what fits.
    fn of(query: &AuditQuery, before: Option<i64>, limit: usize) -> Self {
        let mut question = Self {
            sql: SELECT.to_owned(),
            values: Vec::new(),
        };
        let text = |text: &str| Value::Text(text.to_owned());
        let user = query.user.as_ref();
        let kinds: Vec<&str> = query.kinds.iter().map(|kind| kind.name()).collect();
        let kinds = (!kinds.is_empty()).then(|| serde_json::Value::from(kinds).to_string());
        for (clause, value) in [
            // Most events are of one pool: its index would only bring them out of their order.
            ("+pool =", query.pool.as_ref().map(|pool| text(pool.as_str()))),
            ("pool =", user.map(|user| text(user.pool.as_str()))),
            ("user_id =", user.map(|user| text(user.id.as_str()))),
            ("kind IN (SELECT value FROM json_each", kinds.map(Value::Text)),
            ("network =", query.network.as_ref().map(|it| text(it.as_str()))),
            ("request =", query.request.as_ref().map(|it| text(it.as_str()))),
            ("at >=", query.since.map(|at| Value::Integer(at.as_millis()))),
            ("at <", query.until.map(|at| Value::Integer(at.as_millis()))),
            ("seq <", before.map(Value::Integer)),
        ] {
            question.ask(clause, value);
        }
        question.sql.push_str(" ORDER BY seq DESC LIMIT ?");
        question.values.push(Value::Integer(at_most(limit)));
        question
    }

    fn ask(&mut self, clause: &str, value: Option<Value>) {
        let Some(value) = value else { return };
        let joint = if self.values.is_empty() {
            " WHERE "
        } else {
            " AND "
        };
        let mark = if clause.ends_with("json_each") {
            "(?))"
        } else {
            " ?"
        };
        self.sql.extend([joint, clause, mark]);
        self.values.push(value);
    }
}

fn from_mark(mark: &PageMark) -> Result<i64, PortError> {
    let number = mark.0.parse();
    number.map_err(|_| PortError::corrupt("the mark of a page of audit events"))
}

#[async_trait]
impl AuditLog for SqliteStore {
    async fn append(&self, event: &AuditEvent) -> Result<(), PortError> {
        let event = event.clone();
        let actor = serde_json::to_string(&event.actor).map_err(PortError::unavailable)?;
        self.write(move |connection, _| {
            let user = event.user.as_ref();
            connection.prepare_cached(APPEND)?.execute((
                event.at.as_millis(),
                event.kind.name(),
                user.map(|user| user.pool.as_str()),
                user.map(|user| user.id.as_str()),
                actor,
                event.network.as_ref().map(NetworkHash::as_str),
                event.request.as_ref().map(RequestId::as_str),
                event.detail.as_deref(),
            ))?;
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
        let before = after.map(from_mark).transpose()?;
        let limit = limit.max(1);
        let Question { sql, values } = Question::of(query, before, limit);
        let found = self
            .read(move |connection| rows::all(connection, &sql, params_from_iter(values), decode))
            .await?;
        let last = found.last().filter(|_| found.len() == limit);
        Ok(AuditPage {
            next: last.map(|(seq, _)| PageMark(seq.to_string())),
            events: found.into_iter().map(|(_, event)| event).collect(),
        })
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, PortError> {
        self.purge_by(PURGE, before).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SqliteConfig, migrate};
    use conformance::sample::{at, key, pool};

    /// How SQLite means to answer it.
    fn plan(query: &AuditQuery) -> String {
        let directory = tempfile::tempdir().unwrap();
        let config = SqliteConfig::new(directory.path().join("a.db"));
        migrate(&config.path).unwrap();
        let connection = rusqlite::Connection::open(&config.path).unwrap();
        let Question { sql, values } = Question::of(query, Some(9), 100);
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3));
        steps.unwrap().map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_events_of_a_user_are_found_by_an_index_in_their_order() {
        let plan = plan(&AuditQuery {
            user: Some(key("Users", "ann")),
            since: Some(at(0)),
            kinds: vec![AuditKind::LoggedIn],
            ..AuditQuery::default()
        });
        assert!(
            plan.contains("audit_of_user (pool=? AND user_id=? AND rowid<?)"),
            "{plan}"
        );
        assert!(!plan.contains("TEMP B-TREE FOR ORDER BY"), "{plan}");
    }

    #[test]
    fn the_events_of_a_short_time_are_found_by_an_index() {
        let plan = plan(&AuditQuery {
            since: Some(at(0)),
            until: Some(at(60)),
            ..AuditQuery::default()
        });
        assert!(plan.contains("audit_at (at>? AND at<?"), "{plan}");
    }

    #[test]
    fn the_newest_events_are_read_from_the_end() {
        let of_pool = AuditQuery {
            pool: Some(pool("Users")),
            ..AuditQuery::default()
        };
        for query in [AuditQuery::default(), of_pool] {
            let plan = plan(&query);
            assert!(plan.contains("INTEGER PRIMARY KEY (rowid<?)"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
