//! What the tests have in common.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "every test file uses a part of it"
)]
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "fixtures of tests")]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::flow_record::FlowRecord;
use domain::ports::{FlowStore, PortError};
use domain::secret::{Secret, TokenHash};
use domain::time::Lifetime;
use sessions_memory::MemorySessions;
use sessions_redis::{Durable, RedisConfig, RedisSessions};
use storage_memory::MemoryStore;

/// How much longer than it lives a record stays, in tests.
pub const GRACE: Duration = Duration::from_secs(2);

/// A store that keeps what must not be lost.
pub fn durable() -> Durable {
    Durable {
        tombstones: Arc::new(MemoryStore::default()),
        limiter: Arc::new(MemorySessions::default()),
    }
}

/// A prefix of one test's own: every test is a process.
pub fn prefix() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("t{}-{now}:", std::process::id())
}

pub fn config(url: &str, prefix: &str) -> RedisConfig {
    let mut config = RedisConfig::parse(&Secret::new(url)).unwrap();
    prefix.clone_into(&mut config.prefix);
    config.grace = Lifetime::from_secs(GRACE.as_secs());
    config
}

pub async fn open(config: RedisConfig, durable: &Durable) -> Arc<RedisSessions> {
    Arc::new(RedisSessions::open(config, durable.clone()).await.unwrap())
}

/// A fresh one with nothing in it.
pub async fn fresh(url: &str) -> Arc<RedisSessions> {
    open(config(url, &prefix()), &durable()).await
}

/// Takes a flow: counters are taken from as well.
pub async fn take(node: &RedisSessions, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
    FlowStore::take(node, id).await
}

/// Waits for something that comes soon, and says how long that took.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(20), "{what} does not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    began.elapsed()
}
