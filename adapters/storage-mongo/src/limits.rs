//! Rate limits.
//!
//! A counter is one document, changed by comparing and setting: read it, do the arithmetic of [`Quota`], write it back if it is
//! still what was read. So the arithmetic stands in one place for all stores, and a counter never allows more than its quota. Of
//! several counters that are asked together each is taken in the order of their keys; if one denies after all, what was taken from
//! those before is given back before anybody hears. Between the two a try of somebody else may be denied that a moment later would
//! not be: the error is on the strict side. A process that dies in between leaves one try taken, which time gives back.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::limits::{LimitKey, Quota, Tries, Verdict};
use domain::ports::{PortError, RateLimiter};
use domain::time::Timestamp;
use mongodb::bson::{Document, doc};

use crate::connection::Base;
use crate::documents::{COUNTERS, drop_at};
use crate::error::{Answer, Fault, busy, is_duplicate};
use crate::store::MongoStore;

/// The quotas asked of one counter, and its key.
type Asked = BTreeMap<String, Vec<Quota>>;

/// A try that was taken from a counter.
struct Taken<'a> {
    key: &'a str,
    quotas: &'a [Quota],
    before: Option<Tries>,
    after: Tries,
}

fn by_key(asked: &[(LimitKey, Quota)]) -> Asked {
    let mut counters = Asked::new();
    for (key, quota) in asked {
        counters.entry(key.as_str().to_owned()).or_default().push(*quota);
    }
    counters
}

/// What a counter says to a try of every quota asked of it, and what it is then.
fn judge((key, quotas): (&str, &[Quota]), before: Option<Tries>, now: Timestamp) -> (Tries, Verdict) {
    let mut tries = before.unwrap_or_default();
    let mut verdict = Verdict::Allowed;
    for quota in quotas {
        let (after, said) = quota.take(tries, now);
        tries = after;
        verdict = verdict.and(said.by(key));
    }
    (tries, verdict)
}

fn tries_of(document: &Document) -> Result<Tries, PortError> {
    let read = |field| document.get_i64(field);
    let tries = read("mark")
        .ok()
        .zip(read("count").ok())
        .and_then(|(mark, count)| {
            let count = u32::try_from(count).ok()?;
            Some(Tries { mark, count })
        });
    tries.ok_or_else(|| PortError::corrupt("a counter"))
}

async fn read(base: &Base, key: &str) -> Answer<Option<Tries>> {
    let found = base.first(COUNTERS, doc! { "_id": key }).await?;
    Ok(found.as_ref().map(tries_of).transpose()?)
}

/// All of the counters that are there.
async fn read_all(base: &Base, asked: &Asked) -> Answer<BTreeMap<String, Tries>> {
    let keys: Vec<&str> = asked.keys().map(String::as_str).collect();
    let filter = doc! { "_id": { "$in": keys } };
    let found = base.all(COUNTERS, filter, doc! { "_id": 1 }, asked.len()).await?;
    let mut counters = BTreeMap::new();
    for counter in found {
        let key = counter.get_str("_id").unwrap_or_default().to_owned();
        counters.insert(key, tries_of(&counter)?);
    }
    Ok(counters)
}

/// A counter as it was read.
fn guard(key: &str, tries: Tries) -> Document {
    doc! { "_id": key, "mark": tries.mark, "count": i64::from(tries.count) }
}

/// Writes a counter if it is still what was read, and says whether it was.
async fn set(
    base: &Base,
    key: &str,
    quota: Option<&Quota>,
    before: Option<Tries>,
    after: Tries,
) -> Answer<bool> {
    let mut counter = guard(key, after);
    if let Some(quota) = quota {
        let forgotten = quota.forgotten_at(after);
        counter.insert("forgotten", forgotten.as_millis());
        if let Some(moment) = drop_at(forgotten) {
            counter.insert("drop_at", moment);
        }
    }
    let counters = base.of(COUNTERS);
    let Some(before) = before else {
        return match counters.insert_one(counter).await {
            Ok(_) => Ok(true),
            Err(error) if is_duplicate(&error) => Ok(false),
            Err(error) => Err(error.into()),
        };
    };
    let replaced = counters.replace_one(guard(key, before), counter).await?;
    Ok(replaced.matched_count == 1)
}

/// Rounds of comparing and setting. Each lets somebody through, so whoever loses that many has a crowd before them.
const ROUNDS: usize = 100;

/// Takes a try from one counter, beginning with what was read of it.
async fn take_one<'a>(
    base: &Base,
    (key, quotas): (&'a str, &'a [Quota]),
    mut before: Option<Tries>,
    now: Timestamp,
) -> Answer<Result<Taken<'a>, Verdict>> {
    for _ in 0..ROUNDS {
        let (after, verdict) = judge((key, quotas), before, now);
        if verdict != Verdict::Allowed {
            return Ok(Err(verdict));
        }
        if set(base, key, quotas.last(), before, after).await? {
            return Ok(Ok(Taken {
                key,
                quotas,
                before,
                after,
            }));
        }
        before = read(base, key).await?;
    }
    Err(busy().into())
}

/// Undoes a take: to the very state before where nobody has taken since, by arithmetic where somebody has.
async fn undo(base: &Base, taken: &Taken<'_>) -> Answer<()> {
    let (key, quota) = (taken.key, taken.quotas.last());
    let undone = if let Some(before) = taken.before {
        set(base, key, quota, Some(taken.after), before).await?
    } else {
        let removed = base.of(COUNTERS).delete_one(guard(key, taken.after)).await?;
        removed.deleted_count == 1
    };
    if undone {
        return Ok(());
    }
    let given: Vec<Quota> = taken.quotas.iter().map(|it| it.without_pardon()).collect();
    give_back(base, key, &given).await
}

async fn undo_all(base: &Base, taken: &[Taken<'_>]) -> Answer<()> {
    for one in taken.iter().rev() {
        undo(base, one).await?;
    }
    Ok(())
}

async fn give_back(base: &Base, key: &str, quotas: &[Quota]) -> Answer<()> {
    for _ in 0..ROUNDS {
        // A counter that is not there is full already.
        let Some(before) = read(base, key).await? else {
            break;
        };
        let after = quotas.iter().fold(before, |tries, quota| quota.give_back(tries));
        if set(base, key, quotas.last(), Some(before), after).await? {
            break;
        }
    }
    Ok(())
}

/// Judges all counters on one reading, so that a denial costs no write and names the longest wait.
fn judge_all(asked: &Asked, seen: &BTreeMap<String, Tries>, now: Timestamp) -> Verdict {
    asked.iter().fold(Verdict::Allowed, |verdict, (key, quotas)| {
        let (_, said) = judge((key, quotas), seen.get(key).copied(), now);
        verdict.and(said)
    })
}

async fn take(base: &Base, asked: &Asked, now: Timestamp) -> Answer<Verdict> {
    let seen = read_all(base, asked).await?;
    let verdict = judge_all(asked, &seen, now);
    if verdict != Verdict::Allowed {
        return Ok(verdict);
    }
    let mut taken: Vec<Taken<'_>> = Vec::with_capacity(asked.len());
    for (key, quotas) in asked {
        match take_one(base, (key, quotas), seen.get(key).copied(), now).await {
            Ok(Ok(one)) => taken.push(one),
            Err(fault) => {
                undo_all(base, &taken).await?;
                return Err(fault);
            }
            Ok(Err(denied)) => {
                undo_all(base, &taken).await?;
                let seen = read_all(base, asked).await?;
                return Ok(denied.and(judge_all(asked, &seen, now)));
            }
        }
    }
    Ok(Verdict::Allowed)
}

#[async_trait]
impl RateLimiter for MongoStore {
    async fn take(&self, asked: &[(LimitKey, Quota)], now: Timestamp) -> Result<Verdict, PortError> {
        if asked.is_empty() {
            return Ok(Verdict::Allowed);
        }
        let asked = by_key(asked);
        self.run(move |base| async move { take(&base, &asked, now).await })
            .await
    }

    async fn give_back(&self, given: &[(LimitKey, Quota)], _now: Timestamp) -> Result<(), PortError> {
        let given = by_key(given);
        self.run(move |base| async move {
            for (key, quotas) in &given {
                give_back(&base, key, quotas).await?;
            }
            Ok::<_, Fault>(())
        })
        .await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_below(COUNTERS, "forgotten", now).await
    }
}
