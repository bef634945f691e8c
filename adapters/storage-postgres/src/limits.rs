//! Rate limits.
//!
//! A try at several counters locks their rows in the order of their keys, by one statement, judges them with the arithmetic of
//! [`Quota`], and writes them in the same transaction. Whoever locks in one order waits in a line and never in a circle.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::limits::{LimitKey, Quota, Tries, Verdict};
use domain::ports::{PortError, RateLimiter};
use domain::time::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};

use crate::error::{Answer, Fault};
use crate::statement::{Job, Value, bound, command};
use crate::store::PostgresStore;

const LOOK: &str = "SELECT key, mark, tries FROM counters WHERE key = ANY($1)";
// Makes the rows that are missing and locks those that are there, one after the other.
const LOCK: &str = "\
    INSERT INTO counters (key, mark, tries, forgotten) \
    SELECT key, 0, 0, 0 FROM unnest($1::text[]) AS asked(key) ORDER BY key COLLATE \"C\" \
    ON CONFLICT (key) DO UPDATE SET mark = counters.mark RETURNING key, mark, tries";
const LOCK_KNOWN: &str = "SELECT key, mark, tries FROM counters WHERE key = ANY($1) ORDER BY key FOR UPDATE";
const KEEP: &str = "\
    UPDATE counters SET mark = kept.mark, tries = kept.tries, forgotten = kept.forgotten \
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS kept(key, mark, tries, forgotten) \
    WHERE counters.key = kept.key";
const PURGE: &str = "DELETE FROM counters WHERE key = ANY (ARRAY(\
    SELECT key FROM counters WHERE forgotten < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING key";

/// What is stored, by key.
type Stored = BTreeMap<String, Tries>;
/// What is to be stored, by key.
type Changed<'a> = BTreeMap<&'a LimitKey, (Quota, Tries)>;

/// The keys asked for, each once, in order.
fn keys(asked: &[(LimitKey, Quota)]) -> Vec<String> {
    let mut keys: Vec<String> = asked.iter().map(|(key, _)| key.as_str().to_owned()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

async fn fetch(connection: &mut PgConnection, sql: &'static str, keys: &[String]) -> Answer<Stored> {
    let values = [Value::Texts(keys.to_vec())];
    let rows = bound(sql, &values).fetch_all(connection).await?;
    rows.iter().map(decode).collect()
}

fn decode(row: &PgRow) -> Answer<(String, Tries)> {
    let key: String = row.try_get(0)?;
    let count = u32::try_from(row.try_get::<i64, _>(2)?);
    let count = count.map_err(|_| PortError::corrupt(format!("counter {key}")))?;
    let mark = row.try_get(1)?;
    Ok((key, Tries { mark, count }))
}

async fn keep(connection: &mut PgConnection, changed: &Changed<'_>) -> Answer<()> {
    let column = |of: fn(Quota, Tries) -> i64| {
        let numbers = changed.values().map(|(quota, tries)| of(*quota, *tries));
        Value::Ints(numbers.collect())
    };
    let keys = changed.keys().map(|key| key.as_str().to_owned());
    let values = [
        Value::Texts(keys.collect()),
        column(|_, tries| tries.mark),
        column(|_, tries| tries.count.into()),
        column(|quota, tries| quota.forgotten_at(tries).as_millis()),
    ];
    bound(KEEP, &values).execute(connection).await?;
    Ok(())
}

/// Judges every asked counter. A key that is asked twice is judged twice, one try after the other.
fn judge<'a>(stored: &Stored, asked: &'a [(LimitKey, Quota)], now: Timestamp) -> (Changed<'a>, Verdict) {
    let mut changed = Changed::new();
    let mut verdict = Verdict::Allowed;
    for (key, quota) in asked {
        let before = match changed.get(key) {
            Some((_, tries)) => *tries,
            None => stored.get(key.as_str()).copied().unwrap_or_default(),
        };
        let (after, said) = quota.take(before, now);
        verdict = verdict.and(said.by(key.as_str()));
        changed.insert(key, (*quota, after));
    }
    (changed, verdict)
}

/// Begins a transaction, does the work, and commits if it says so. A connection that could not be tidied up is broken.
macro_rules! transaction {
    ($connection:ident, $work:expr) => {{
        command($connection, "BEGIN").await?;
        let answer = $work.await;
        match answer {
            Ok((true, done)) => {
                command($connection, "COMMIT").await?;
                Ok(done)
            }
            Ok((false, done)) => {
                command($connection, "ROLLBACK").await?;
                Ok(done)
            }
            Err(broken @ Fault::Broken(_)) => Err(broken),
            Err(fault) => {
                command($connection, "ROLLBACK").await?;
                Err(fault)
            }
        }
    }};
}

struct Take {
    asked: Vec<(LimitKey, Quota)>,
    now: Timestamp,
}

impl Take {
    async fn locked(&self, connection: &mut PgConnection, keys: &[String]) -> Answer<(bool, Verdict)> {
        let stored = fetch(connection, LOCK, keys).await?;
        let (changed, verdict) = judge(&stored, &self.asked, self.now);
        let allowed = verdict == Verdict::Allowed;
        if allowed {
            keep(connection, &changed).await?;
        }
        Ok((allowed, verdict))
    }
}

#[async_trait]
impl Job for Take {
    type Done = Verdict;

    async fn run(&self, connection: &mut PgConnection) -> Answer<Verdict> {
        let keys = keys(&self.asked);
        // A storm of tries that are denied anyway locks nothing and writes nothing.
        let stored = fetch(connection, LOOK, &keys).await?;
        let (_, verdict) = judge(&stored, &self.asked, self.now);
        if verdict != Verdict::Allowed {
            return Ok(verdict);
        }
        transaction!(connection, self.locked(connection, &keys))
    }
}

struct GiveBack {
    given: Vec<(LimitKey, Quota)>,
}

impl GiveBack {
    async fn locked(&self, connection: &mut PgConnection) -> Answer<(bool, ())> {
        let stored = fetch(connection, LOCK_KNOWN, &keys(&self.given)).await?;
        let mut changed = Changed::new();
        for (key, quota) in &self.given {
            let before = changed.get(key).map(|(_, tries)| *tries);
            // A counter that is not there is full already.
            if let Some(tries) = before.or_else(|| stored.get(key.as_str()).copied()) {
                changed.insert(key, (*quota, quota.give_back(tries)));
            }
        }
        if !changed.is_empty() {
            keep(connection, &changed).await?;
        }
        Ok((!changed.is_empty(), ()))
    }
}

#[async_trait]
impl Job for GiveBack {
    type Done = ();

    async fn run(&self, connection: &mut PgConnection) -> Answer<()> {
        transaction!(connection, self.locked(connection))
    }
}

#[async_trait]
impl RateLimiter for PostgresStore {
    async fn take(&self, asked: &[(LimitKey, Quota)], now: Timestamp) -> Result<Verdict, PortError> {
        if asked.is_empty() {
            return Ok(Verdict::Allowed);
        }
        let asked = asked.to_vec();
        self.work(Take { asked, now }).await
    }

    async fn give_back(&self, given: &[(LimitKey, Quota)], _now: Timestamp) -> Result<(), PortError> {
        if given.is_empty() {
            return Ok(());
        }
        let given = given.to_vec();
        self.work(GiveBack { given }).await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_by(PURGE, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_locked_once_each_and_in_order() {
        let quota = Quota::Rate {
            burst: 1,
            per: domain::time::Lifetime::from_secs(1),
        };
        let key = |what: &str| (LimitKey::new(what, &[]), quota);
        let keys = keys(&[key("b"), key("a"), key("b")]);
        assert_eq!(keys.len(), 2);
        assert!(keys.is_sorted());
    }
}
