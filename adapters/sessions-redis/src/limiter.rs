//! Rate limits: Redis says no for all nodes, quickly; only the durable limiter says yes.

use std::sync::Arc;

use async_trait::async_trait;
use domain::limits::{LimitKey, Quota, Verdict};
use domain::ports::{PortError, RateLimiter};
use domain::time::Timestamp;

use crate::RedisSessions;
use crate::config::Reach;
use crate::error::Fault;
use crate::store::{Shared, to_the_end};

/// Counters under the names Redis knows them by.
type Counters = Vec<(String, Quota)>;

impl Shared {
    /// Counters in the portions that one script may touch: all at once where there is one server, else one by one.
    fn portions(&self, counters: &[(LimitKey, Quota)], map: impl Fn(Quota) -> Quota) -> Vec<Counters> {
        let named = counters
            .iter()
            .map(|(key, quota)| (self.keys.counter(key), map(*quota)));
        match self.config.reach {
            Reach::Cluster(_) => named.map(|counter| vec![counter]).collect(),
            Reach::Single(_) | Reach::Sentinel { .. } => vec![named.collect()],
        }
    }

    /// Takes from all counters in Redis, or from none.
    async fn take_in_redis(&self, asked: &[(LimitKey, Quota)], now: Timestamp) -> Result<Verdict, Fault> {
        let portions = self.portions(asked, |quota| quota);
        let (mut verdict, mut taken) = (Verdict::Allowed, Vec::new());
        let mut keys = asked.iter().map(|(key, _)| key.as_str());
        for portion in &portions {
            let keys: Vec<&str> = keys.by_ref().take(portion.len()).collect();
            // After a no the others are only asked, since the longest wait is the answer: taking from them in passing would
            // deny them to somebody else.
            let only_ask = verdict != Verdict::Allowed;
            match self.fleet.take(portion, now.as_millis(), only_ask).await {
                Ok(None) if only_ask => {}
                Ok(None) => taken.push(portion),
                Ok(Some((retry_after, whose))) => {
                    let key = keys.get(whose).copied().unwrap_or_default();
                    verdict = verdict.and(Verdict::denied(retry_after).by(key));
                }
                Err(fault) => {
                    self.undo(&taken).await;
                    return Err(fault);
                }
            }
        }
        if verdict != Verdict::Allowed {
            self.undo(&taken).await;
        }
        Ok(verdict)
    }

    async fn undo(&self, taken: &[&Counters]) {
        for portion in taken {
            let unjudged: Counters = portion
                .iter()
                .map(|(key, quota)| (key.clone(), quota.without_pardon()))
                .collect();
            // At worst Redis counts a try too many, until that counter is forgotten.
            let _ = self.fleet.give_back(&unjudged).await;
        }
    }

    async fn take_try(&self, asked: &[(LimitKey, Quota)], now: Timestamp) -> Result<Verdict, PortError> {
        let in_redis = if asked.is_empty() {
            Ok(Verdict::Allowed)
        } else {
            self.take_in_redis(asked, now).await
        };
        if let Ok(denied @ Verdict::Denied { .. }) = in_redis {
            return Ok(denied);
        }
        let verdict = self.durable.limiter.take(asked, now).await;
        let is_taken = matches!(verdict, Ok(Verdict::Allowed));
        if in_redis.is_ok() && !is_taken {
            let portions = self.portions(asked, Quota::without_pardon);
            self.undo(&portions.iter().collect::<Vec<_>>()).await;
        }
        verdict
    }

    async fn give_back_try(&self, given: &[(LimitKey, Quota)], now: Timestamp) -> Result<(), PortError> {
        let answer = self.durable.limiter.give_back(given, now).await;
        for portion in self.portions(given, |quota| quota) {
            if !portion.is_empty() {
                let _ = self.fleet.give_back(&portion).await;
            }
        }
        answer
    }
}

#[async_trait]
impl RateLimiter for RedisSessions {
    async fn take(&self, asked: &[(LimitKey, Quota)], now: Timestamp) -> Result<Verdict, PortError> {
        let (shared, asked) = (Arc::clone(&self.0), asked.to_vec());
        to_the_end(async move { shared.take_try(&asked, now).await }).await
    }

    async fn give_back(&self, given: &[(LimitKey, Quota)], now: Timestamp) -> Result<(), PortError> {
        let (shared, given) = (Arc::clone(&self.0), given.to_vec());
        to_the_end(async move { shared.give_back_try(&given, now).await }).await
    }

    /// Redis drops by itself what is forgotten: this drops what the durable limiter has forgotten.
    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.0.durable.limiter.purge(now).await
    }
}
