//! Listens to what Redis says about changed sessions (`CLIENT TRACKING`), and knows for how long what it has not heard of has not
//! changed: an answered ping shows that everything said before it was heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, Value, cmd, from_redis_value};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::cache::SessionCache;
use crate::fleet::{Fleet, Map};
use crate::keys::Keys;
use crate::node::Node;

/// How often every master is pinged.
const EVERY: Duration = Duration::from_millis(200);
/// How long after the sending of an answered ping the cache is trusted, in milliseconds.
const TRUSTED_FOR: u64 = 800;
/// How long a ping may take before the connection counts as broken.
const PATIENCE: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The cache, and for how long it may be trusted.
pub(crate) struct Watched {
    pub cache: SessionCache,
    fleet: Arc<Fleet>,
    keys: Keys,
    /// In milliseconds of [`Fleet::clock`].
    heard_until: AtomicU64,
}

impl Watched {
    pub fn new(fleet: Arc<Fleet>, keys: Keys, bytes: u64) -> Self {
        Self {
            cache: SessionCache::new(bytes),
            fleet,
            keys,
            heard_until: AtomicU64::new(0),
        }
    }

    /// Whether every change up to a moment ago was heard of.
    pub fn is_trusted(&self) -> bool {
        let until = self
            .heard_until
            .load(Ordering::SeqCst)
            .min(self.fleet.confirmed_until());
        self.fleet.clock() < until
    }

    /// Takes what Redis says of its own accord.
    fn hear(&self, info: &PushInfo) {
        if info.kind != PushKind::Invalidate {
            return;
        }
        match info.data.first() {
            Some(Value::Array(keys)) => {
                for key in keys {
                    let key: Result<String, _> = from_redis_value(key.clone());
                    match key.ok().and_then(|key| self.keys.session_of(&key)) {
                        Some(token) => self.cache.forget(&token),
                        None => self.cache.clear(),
                    }
                }
            }
            // Everything was deleted at once.
            _ => self.cache.clear(),
        }
    }

    fn distrust(&self) {
        self.heard_until.store(0, Ordering::SeqCst);
        self.cache.clear();
    }
}

/// Listens for as long as it runs.
pub(crate) async fn watch(watched: Arc<Watched>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let map = watched.fleet.map();
        let (was_heard, why) = listen(&watched, &map).await;
        watched.distrust();
        if was_heard {
            pause = FIRST_PAUSE;
            tracing::info!(error = why, "sessions are not cached until Redis is heard again");
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Listens to all masters of a map until something changes or breaks. Answers whether it came to listening, and why it ended.
async fn listen(watched: &Arc<Watched>, map: &Arc<Map>) -> (bool, String) {
    if map.nodes.is_empty() {
        return (false, "no master is known".to_owned());
    }
    let seen: Vec<u64> = map.nodes.iter().map(|node| node.connected()).collect();
    let lines = map.nodes.iter().map(|node| tune_in(watched, node));
    let mut lines = match try_join_all(lines).await {
        Ok(lines) => lines,
        Err(why) => return (false, why),
    };
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let sent = watched.fleet.clock();
        let pings = lines.iter_mut().map(ping);
        if let Some(why) = join_all(pings).await.into_iter().find_map(Result::err) {
            return (true, why);
        }
        if watched.fleet.map().version != map.version {
            return (true, "the masters are others now".to_owned());
        }
        let now = map.nodes.iter().map(|node| node.connected());
        if !now.eq(seen.iter().copied()) {
            return (true, "the connection was made anew".to_owned());
        }
        watched.heard_until.store(sent + TRUSTED_FOR, Ordering::SeqCst);
    }
}

async fn ping(line: &mut MultiplexedConnection) -> Result<(), String> {
    let ping = cmd("PING");
    match timeout(PATIENCE, ping.query_async::<Value>(line)).await {
        Ok(answer) => answer.map(|_| ()).map_err(|error| error.to_string()),
        Err(_) => Err("no answer to a ping".to_owned()),
    }
}

/// A connection that hears of every changed session, to the very server that the node's own connection leads to.
async fn tune_in(watched: &Arc<Watched>, node: &Arc<Node>) -> Result<MultiplexedConnection, String> {
    let listener = Arc::clone(watched);
    let dialer = &watched.fleet.dialer;
    let mut line = dialer
        .dial_listening(&node.client, move |info| listener.hear(&info))
        .await
        .map_err(|error| error.to_string())?;
    let setup = async {
        let mut tracking = cmd("CLIENT");
        tracking
            .arg("TRACKING")
            .arg("ON")
            .arg("BCAST")
            .arg("PREFIX")
            .arg(watched.keys.sessions());
        tracking.query_async::<Value>(&mut line).await?;
        let replication = cmd("INFO").arg("replication").to_owned();
        replication.query_async::<String>(&mut line).await
    };
    let heard = timeout(PATIENCE, setup)
        .await
        .map_err(|_| "no answer in time".to_owned())?
        .map_err(|error| error.to_string())?;
    let own = node
        .ask(cmd("INFO").arg("replication"), false, watched.fleet.deadline())
        .await
        .map_err(|fault| fault.to_string())?;
    let own: String = from_redis_value(own).map_err(|error| error.to_string())?;
    match (identity(&heard), identity(&own)) {
        (Some(heard), Some(own)) if heard == own => Ok(line),
        _ => Err("one address leads to several servers".to_owned()),
    }
}

/// What tells a server, and each of its terms as a master, from all others.
pub(crate) fn identity(replication: &str) -> Option<&str> {
    replication
        .lines()
        .find_map(|line| line.strip_prefix("master_replid:"))
}
