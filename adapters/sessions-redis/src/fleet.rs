//! Which server keeps which key: one server, the master that sentinels name, or the masters of a cluster.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::config::{Address, RedisConfig};
use crate::connect::{Dialer, Party};
use crate::error::Fault;
use crate::keys;
use crate::node::Node;

/// Slots of a cluster.
pub(crate) const SLOTS: u16 = 16384;
/// Attempts of one call: the first, and those that redirections and broken connections lead to.
const ATTEMPTS: u32 = 5;

/// How long, in milliseconds, another node may go on with the masters of before after this one heard of others: longer than what a
/// majority said is held to be true.
const UNSETTLED_FOR: u64 = 1_000;

/// Slots `first` to `last`, and who keeps them.
pub(crate) type Range = (u16, u16, Address);

/// Who keeps what, as far as is known.
pub(crate) struct Map {
    /// Tells this map from those before it.
    pub version: u64,
    /// Sorted by slot.
    pub ranges: Vec<Range>,
    /// Every master, sorted by address.
    pub nodes: Vec<Arc<Node>>,
    /// Why there is none.
    trouble: Option<Arc<str>>,
}

/// Whether a call whose connection broke may be sent again: only what has the same effect twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    Never,
    Once,
}

/// All servers of one Redis.
pub(crate) struct Fleet {
    pub dialer: Arc<Dialer>,
    map: watch::Sender<Arc<Map>>,
    nodes: Mutex<HashMap<Address, Arc<Node>>>,
    timeout: Duration,
    in_flight: usize,
    origin: Instant,
    /// Until when, in milliseconds since `origin`, the map is known to be true.
    confirmed_until: AtomicU64,
    /// Since when, in the same milliseconds, the map has been true all the time.
    changed: AtomicU64,
}

impl Fleet {
    pub fn new(config: &RedisConfig, dialer: Arc<Dialer>) -> Self {
        let nothing = Map {
            version: 0,
            ranges: Vec::new(),
            nodes: Vec::new(),
            trouble: None,
        };
        Self {
            dialer,
            map: watch::Sender::new(Arc::new(nothing)),
            nodes: Mutex::default(),
            timeout: config.timeout,
            in_flight: config.in_flight,
            origin: Instant::now(),
            confirmed_until: AtomicU64::new(0),
            changed: AtomicU64::new(0),
        }
    }

    /// Who keeps what.
    pub fn map(&self) -> Arc<Map> {
        Arc::clone(&self.map.borrow())
    }

    /// Milliseconds since this began.
    pub fn clock(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Says that the map is true until a moment of [`Fleet::clock`].
    pub fn confirm(&self, until: u64) {
        if self.is_in_doubt() {
            self.unsettle();
        }
        self.confirmed_until.store(until, Ordering::SeqCst);
    }

    /// Until when the map is true.
    pub fn confirmed_until(&self) -> u64 {
        self.confirmed_until.load(Ordering::SeqCst)
    }

    /// Whether another server may be the master by now without our knowing: then nothing is believed that the durable store does
    /// not confirm.
    pub fn is_in_doubt(&self) -> bool {
        self.clock() > self.confirmed_until()
    }

    /// Whether no node can hold another server for the master any more and have its ends acknowledged there: only then what was
    /// copied to a master may be stamped as its own.
    pub fn is_settled(&self) -> bool {
        self.confirmed_until() == u64::MAX
            || self.clock() > self.changed.load(Ordering::SeqCst).saturating_add(UNSETTLED_FOR)
    }

    fn unsettle(&self) {
        self.changed.store(self.clock(), Ordering::SeqCst);
    }

    /// Takes a new map, unless it is the one there is.
    pub fn adopt(&self, mut ranges: Vec<Range>) -> Result<(), Fault> {
        ranges.sort();
        let current = self.map();
        if current.ranges == ranges && current.trouble.is_none() {
            return Ok(());
        }
        let mut addresses: Vec<Address> = ranges.iter().map(|range| range.2.clone()).collect();
        addresses.sort();
        addresses.dedup();
        let nodes: Vec<_> = addresses
            .iter()
            .map(|at| self.node(at))
            .collect::<Result<_, _>>()?;
        self.registry().retain(|address, _| addresses.contains(address));
        let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        tracing::info!(masters = names.join(" "), "the masters of Redis are known");
        self.unsettle();
        self.map.send_replace(Arc::new(Map {
            version: current.version + 1,
            ranges,
            nodes,
            trouble: None,
        }));
        Ok(())
    }

    /// Says why there is no map, if there is none.
    pub fn despair(&self, why: &str) {
        self.map.send_if_modified(|map| {
            let is_news = map.nodes.is_empty() && map.trouble.as_deref() != Some(why);
            if is_news {
                tracing::warn!(error = why, "no master of Redis is known");
                *map = Arc::new(Map {
                    version: map.version + 1,
                    ranges: Vec::new(),
                    nodes: Vec::new(),
                    trouble: Some(Arc::from(why)),
                });
            }
            is_news
        });
    }

    fn registry(&self) -> std::sync::MutexGuard<'_, HashMap<Address, Arc<Node>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server at an address.
    fn node(&self, address: &Address) -> Result<Arc<Node>, Fault> {
        let mut nodes = self.registry();
        if let Some(node) = nodes.get(address) {
            return Ok(Arc::clone(node));
        }
        let client = self
            .dialer
            .client(address, Party::Server)
            .map_err(|error| Fault::Down(error.to_string()))?;
        let node = Node::start(address.clone(), client, Arc::clone(&self.dialer), self.in_flight);
        nodes.insert(address.clone(), Arc::clone(&node));
        Ok(node)
    }

    /// The map, once there is one.
    pub async fn known(&self, deadline: Instant) -> Result<Arc<Map>, Fault> {
        let mut map = self.map.subscribe();
        loop {
            let current = Arc::clone(&map.borrow_and_update());
            if let Some(why) = &current.trouble {
                return Err(Fault::Down(why.to_string()));
            }
            if !current.nodes.is_empty() {
                return Ok(current);
            }
            if !matches!(timeout_at(deadline, map.changed()).await, Ok(Ok(()))) {
                return Err(Fault::Down("no master is known yet".to_owned()));
            }
        }
    }

    async fn keeper_of(&self, key: &str, deadline: Instant) -> Result<Arc<Node>, Fault> {
        let map = self.known(deadline).await?;
        let slot = keys::slot(key);
        let range = map
            .ranges
            .iter()
            .find(|(first, last, _)| (*first..=*last).contains(&slot));
        match range {
            Some((_, _, address)) => self.node(address),
            None => Err(Fault::Down("nobody keeps this part of the cluster".to_owned())),
        }
    }

    /// The moment by which a call that begins now is over.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Asks the server that keeps `key`.
    pub async fn call(&self, key: &str, cmd: &Cmd, repeat: Repeat) -> Result<Value, Fault> {
        self.call_until(self.deadline(), key, cmd, repeat).await
    }

    /// The same within a time that other calls share.
    pub async fn call_until(
        &self,
        deadline: Instant,
        key: &str,
        cmd: &Cmd,
        repeat: Repeat,
    ) -> Result<Value, Fault> {
        let mut node = self.keeper_of(key, deadline).await?;
        let mut asking = false;
        let mut may_repeat = repeat == Repeat::Once;
        for _ in 0..ATTEMPTS {
            let fault = match node.call(cmd, asking, deadline).await {
                Ok(value) => return Ok(value),
                Err(fault) => fault,
            };
            asking = false;
            match &fault {
                Fault::Refused(error) => match redirection(error, &node.address) {
                    Some(Redirection::To(address, ask)) => {
                        self.unsettle();
                        node = self.node(&address)?;
                        asking = ask;
                    }
                    Some(Redirection::Wait) => sleep(Duration::from_millis(30)).await,
                    None => return Err(fault),
                },
                Fault::Lost(_) if may_repeat && Instant::now() < deadline => {
                    may_repeat = false;
                    node = self.keeper_of(key, deadline).await?;
                }
                _ => return Err(fault),
            }
        }
        Err(Fault::Down(
            "the cluster does not agree who keeps this key".to_owned(),
        ))
    }
}

/// Where to ask instead.
enum Redirection {
    To(Address, bool),
    Wait,
}

fn redirection(error: &RedisError, from: &Address) -> Option<Redirection> {
    let kind = error.kind();
    let ask = match kind {
        ErrorKind::Server(ServerErrorKind::Moved) => false,
        ErrorKind::Server(ServerErrorKind::Ask) => true,
        ErrorKind::Server(ServerErrorKind::TryAgain) => return Some(Redirection::Wait),
        _ => return None,
    };
    let (to, _) = error.redirect_node()?;
    let (host, port) = to.rsplit_once(':')?;
    Some(Redirection::To(address_of(host, port.parse().ok()?, from), ask))
}

/// An address as a server of a cluster tells it: without a host where it is the teller's own.
pub(crate) fn address_of(host: &str, port: u16, teller: &Address) -> Address {
    let host = if host.is_empty() || host == "?" {
        &teller.host
    } else {
        host
    };
    Address {
        host: host.to_owned(),
        port,
    }
}
