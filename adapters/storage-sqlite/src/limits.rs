//! Rate limits.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::limits::{LimitKey, Quota, Tries, Verdict};
use domain::ports::{PortError, RateLimiter};
use domain::time::Timestamp;
use rusqlite::{Connection, Row};

use crate::error::Answer;
use crate::rows;
use crate::store::SqliteStore;

const FIND: &str = "SELECT mark, tries FROM counters WHERE key = ?1";
const KEEP: &str = "INSERT INTO counters (key, mark, tries, forgotten) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT (key) DO UPDATE SET mark = excluded.mark, tries = excluded.tries, forgotten = excluded.forgotten";
const PURGE: &str =
    "DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE forgotten < ?1 LIMIT ?2)";

fn find(connection: &Connection, key: &LimitKey) -> Answer<Option<Tries>> {
    let decode = |row: &Row<'_>| {
        Ok(Tries {
            mark: row.get(0)?,
            count: row.get(1)?,
        })
    };
    rows::first(connection, FIND, [key.as_str()], decode)
}

fn keep(connection: &Connection, key: &LimitKey, quota: Quota, tries: Tries) -> Answer<()> {
    let forgotten = quota.forgotten_at(tries).as_millis();
    connection
        .prepare_cached(KEEP)?
        .execute((key.as_str(), tries.mark, tries.count, forgotten))?;
    Ok(())
}

/// Judges every asked counter before any is changed. There is one writer, so nothing comes between.
fn take(connection: &Connection, asked: &[(LimitKey, Quota)], now: Timestamp) -> Answer<Verdict> {
    let mut taken = BTreeMap::<&LimitKey, (Quota, Tries)>::new();
    let mut verdict = Verdict::Allowed;
    for (key, quota) in asked {
        let before = match taken.get(key) {
            Some((_, tries)) => *tries,
            None => find(connection, key)?.unwrap_or_default(),
        };
        let (after, said) = quota.take(before, now);
        verdict = verdict.and(said.by(key.as_str()));
        taken.insert(key, (*quota, after));
    }
    if verdict == Verdict::Allowed {
        for (key, (quota, tries)) in taken {
            keep(connection, key, quota, tries)?;
        }
    }
    Ok(verdict)
}

fn give_back(connection: &Connection, given: &[(LimitKey, Quota)]) -> Answer<()> {
    for (key, quota) in given {
        // A counter that is not there is full already.
        if let Some(tries) = find(connection, key)? {
            keep(connection, key, *quota, quota.give_back(tries))?;
        }
    }
    Ok(())
}

#[async_trait]
impl RateLimiter for SqliteStore {
    async fn take(&self, asked: &[(LimitKey, Quota)], now: Timestamp) -> Result<Verdict, PortError> {
        let asked = asked.to_vec();
        self.write(move |connection, _| take(connection, &asked, now))
            .await
    }

    async fn give_back(&self, given: &[(LimitKey, Quota)], _now: Timestamp) -> Result<(), PortError> {
        let given = given.to_vec();
        self.write(move |connection, _| give_back(connection, &given))
            .await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_by(PURGE, now).await
    }
}
