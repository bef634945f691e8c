//! Opening and closing, and what sessions and flows have in common.

use std::sync::Arc;
use std::time::Duration;

use domain::endings::Endings;
use domain::ports::{PortError, RateLimiter, Tombstones};
use domain::secret::TokenHash;
use domain::tombstone::Tombstone;
use futures_util::future::join_all;
use redis::{Value, cmd};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::config::RedisConfig;
use crate::connect::{Dialer, check_tls};
use crate::error::{Fault, OpenError};
use crate::fleet::Fleet;
use crate::keys::Keys;
use crate::pending::{Pending, retry};
use crate::scout::scout;
use crate::scripts::Stamp;
use crate::watch::{Watched, watch};

/// How long the durable store may take to say whether something is buried: longer, and the answer of Redis is too old.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an end waits to hear who the masters are: a node that was just started, or slots that move, take less.
const DOUBT: Duration = Duration::from_millis(500);
/// Tries to read a record that changes while it is read.
pub(crate) const TRIES: usize = 4;

/// The store behind Redis, which keeps what must not be lost.
#[derive(Clone)]
pub struct Durable {
    /// Keeps which sessions were ended and which flows were taken.
    pub tombstones: Arc<dyn Tombstones>,
    /// Keeps the counters; the authority on every limit.
    pub limiter: Arc<dyn RateLimiter>,
}

/// Sessions, flows and counters in Redis.
#[derive(Clone)]
pub struct RedisSessions(pub(crate) Arc<Shared>);

/// What all calls share.
pub(crate) struct Shared {
    pub fleet: Arc<Fleet>,
    pub keys: Keys,
    pub watched: Arc<Watched>,
    pub pending: Arc<Pending>,
    pub endings: Endings,
    pub durable: Durable,
    pub config: RedisConfig,
    tasks: Vec<AbortHandle>,
}

/// A record as it may be believed.
pub(crate) struct Believed {
    pub record: Vec<u8>,
    /// Whether it may be kept and believed again without asking anybody.
    pub is_sure: bool,
}

impl RedisSessions {
    /// Begins to connect. Redis need not be there: until it is, calls answer [`PortError::Unavailable`].
    ///
    /// # Errors
    /// Settings that can never work: see [`OpenError`].
    #[expect(
        clippy::unused_async,
        reason = "every adapter opens this way, and this one needs the runtime"
    )]
    pub async fn open(config: RedisConfig, durable: Durable) -> Result<Self, OpenError> {
        config.check()?;
        let dialer = Dialer::new(&config)?;
        check_tls(&dialer, &config)?;
        let fleet = Arc::new(Fleet::new(&config, Arc::new(dialer)));
        let keys = Keys::new(&config.prefix);
        let watched = Arc::new(Watched::new(Arc::clone(&fleet), keys.clone(), config.cache_bytes));
        let pending = Arc::new(Pending::default());
        let mut tasks = vec![
            tokio::spawn(scout(Arc::clone(&fleet), config.reach.clone())).abort_handle(),
            tokio::spawn(retry(Arc::clone(&pending), Arc::clone(&fleet))).abort_handle(),
        ];
        if config.cache_bytes > 0 {
            tasks.push(tokio::spawn(watch(Arc::clone(&watched))).abort_handle());
        }
        Ok(Self(Arc::new(Shared {
            fleet,
            keys,
            watched,
            pending,
            endings: Endings::default(),
            durable,
            config,
            tasks,
        })))
    }

    /// Whether every master of Redis answers.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] with the reason.
    pub async fn ready(&self) -> Result<(), PortError> {
        let fleet = &self.0.fleet;
        let deadline = fleet.deadline();
        let map = fleet.known(deadline).await?;
        let ping = cmd("PING");
        let asked = map.nodes.iter().map(|node| node.ask(&ping, false, deadline));
        for answer in join_all(asked).await {
            let _: Value = answer?;
        }
        Ok(())
    }

    /// Whether sessions are answered from this process' memory at the moment: Redis is heard telling what changes.
    pub fn is_caching(&self) -> bool {
        self.0.watched.is_trusted()
    }

    /// Calls of Redis that are under way, over all its nodes.
    pub fn under_way(&self) -> usize {
        self.0.fleet.map().nodes.iter().map(|node| node.under_way()).sum()
    }

    /// Deletions that Redis has not acknowledged yet.
    pub fn pending_deletions(&self) -> usize {
        self.0.pending.len()
    }

    /// Waits a moment for deletions that are still to be acknowledged, and ends what runs in the background. Call once no request
    /// is under way.
    pub async fn close(&self) {
        let patience = Instant::now() + self.0.config.timeout;
        while self.0.pending.len() > 0 && Instant::now() < patience {
            sleep(Duration::from_millis(20)).await;
        }
        self.0.stop();
    }
}

impl Shared {
    fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }

    /// The record under a key, unless what it stands for is over.
    pub async fn believe(&self, key: &str, token: &TokenHash) -> Result<Option<Believed>, PortError> {
        for _ in 0..TRIES {
            if self.pending.contains(token) {
                return Ok(None);
            }
            let Some(found) = self.fleet.read(key).await? else {
                return Ok(None);
            };
            let stamp = if self.fleet.is_in_doubt() {
                Stamp::Claimed
            } else {
                found.stamp
            };
            if stamp == Stamp::Own {
                return Ok(Some(Believed {
                    record: found.record,
                    is_sure: true,
                }));
            }
            // Before the store is asked: what another node ends until then is buried.
            let is_settled = self.fleet.is_settled();
            if self.is_buried(token).await? {
                return Ok(None);
            }
            // Whoever claimed it may bury it at any moment: only the durable store is to be believed from now on.
            let is_same = stamp == Stamp::Claimed || !is_settled || self.fleet.restamp(key, &found).await?;
            if is_same {
                return Ok(Some(Believed {
                    record: found.record,
                    is_sure: false,
                }));
            }
        }
        Err(PortError::unavailable("it changes faster than it can be read"))
    }

    pub async fn is_buried(&self, token: &TokenHash) -> Result<bool, PortError> {
        timeout(PATIENCE, self.durable.tombstones.is_buried(token))
            .await
            .unwrap_or_else(|_| {
                Err(PortError::unavailable(
                    "the store did not say in time whether it is buried",
                ))
            })
    }

    /// Whether this call is the one that buried it.
    pub async fn bury(&self, stone: &Tombstone) -> Result<bool, PortError> {
        self.durable.tombstones.bury(stone).await
    }

    /// Deletes the record of something buried; when Redis does not acknowledge that, goes on trying.
    pub async fn delete_buried(&self, token: &TokenHash, key: String) -> Result<(), Fault> {
        let enough = Instant::now() + DOUBT;
        let mut deleted = self.fleet.delete_for_good(&key).await;
        while matches!(deleted, Err(Fault::Unsure)) && Instant::now() < enough {
            sleep(Duration::from_millis(20)).await;
            deleted = self.fleet.delete_for_good(&key).await;
        }
        if deleted.is_err() {
            self.pending.add(*token, key);
        }
        deleted
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs to its end what must not stop half-way when nobody waits for it any more.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, PortError>> + Send + 'static,
) -> Result<T, PortError> {
    tokio::spawn(work)
        .await
        .unwrap_or_else(|error| Err(PortError::unavailable(error)))
}
