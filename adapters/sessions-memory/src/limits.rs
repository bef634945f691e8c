//! Rate limits.

use std::collections::HashMap;
use std::sync::PoisonError;

use async_trait::async_trait;
use domain::limits::{LimitKey, Quota, Tries, Verdict};
use domain::ports::{PortError, RateLimiter};
use domain::time::Timestamp;

use crate::MemorySessions;

/// A counter and when it may be dropped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter {
    tries: Tries,
    forgotten: Timestamp,
}

/// Counters by name.
pub(crate) type Counters = HashMap<LimitKey, Counter>;

impl Counter {
    fn new(quota: Quota, tries: Tries) -> Self {
        Self {
            tries,
            forgotten: quota.forgotten_at(tries),
        }
    }
}

impl MemorySessions {
    fn with_counters<T>(&self, act: impl FnOnce(&mut Counters) -> T) -> T {
        act(&mut self.counters.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Judges every asked counter before any is changed.
fn take(counters: &mut Counters, asked: &[(LimitKey, Quota)], now: Timestamp) -> Verdict {
    let mut taken = Counters::new();
    let mut verdict = Verdict::Allowed;
    for (key, quota) in asked {
        let before = taken.get(key).or_else(|| counters.get(key));
        let tries = before.map_or_else(Tries::default, |counter| counter.tries);
        let (after, said) = quota.take(tries, now);
        verdict = verdict.and(said.by(key.as_str()));
        taken.insert(key.clone(), Counter::new(*quota, after));
    }
    if verdict == Verdict::Allowed {
        counters.extend(taken);
    }
    verdict
}

#[async_trait]
impl RateLimiter for MemorySessions {
    async fn take(&self, asked: &[(LimitKey, Quota)], now: Timestamp) -> Result<Verdict, PortError> {
        Ok(self.with_counters(|counters| take(counters, asked, now)))
    }

    async fn give_back(&self, given: &[(LimitKey, Quota)], _now: Timestamp) -> Result<(), PortError> {
        self.with_counters(|counters| {
            for (key, quota) in given {
                if let Some(counter) = counters.get_mut(key) {
                    *counter = Counter::new(*quota, quota.give_back(counter.tries));
                }
            }
        });
        Ok(())
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        Ok(self.with_counters(|counters| {
            let before = counters.len();
            counters.retain(|_, counter| counter.forgotten >= now);
            u64::try_from(before - counters.len()).unwrap_or(u64::MAX)
        }))
    }
}
