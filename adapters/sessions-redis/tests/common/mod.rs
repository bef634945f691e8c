//! What the tests have in common.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use domain::secret::Secret;
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
    // A loaded machine must not fail: tests of outages take the time that is the default.
    config.timeout = Duration::from_secs(4);
    config
}

/// The same with the time for a call that is the default.
pub fn prompt(url: &str, prefix: &str) -> RedisConfig {
    let mut config = config(url, prefix);
    config.timeout = Duration::from_secs(1);
    config
}

pub async fn open(config: RedisConfig, durable: &Durable) -> Arc<RedisSessions> {
    Arc::new(RedisSessions::open(config, durable.clone()).await.unwrap())
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
