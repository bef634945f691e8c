//! Finds out which servers are masters, again and again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, FromRedisValue, Value, from_redis_value};
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};

use crate::config::{Address, Reach};
use crate::connect::Party;
use crate::error::Fault;
use crate::fleet::{Fleet, Range, SLOTS, address_of};

/// How often it looks.
const EVERY: Duration = Duration::from_millis(200);
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_millis(600);
/// How long the other sentinels are waited for once most of them name the same master.
const LINGER: Duration = Duration::from_millis(50);
/// How long what was found out is held to be true, counted from the asking, in milliseconds.
const GOOD_FOR: u64 = 800;

/// Keeps the map true for as long as it runs.
pub(crate) async fn scout(fleet: Arc<Fleet>, reach: Reach) {
    match reach {
        Reach::Single(address) => {
            if let Err(fault) = fleet.adopt(vec![(0, SLOTS - 1, address)]) {
                fleet.despair(&fault.to_string());
            }
            fleet.confirm(u64::MAX);
        }
        Reach::Sentinel { sentinels, master } => {
            let sentinels: Vec<_> = sentinels.into_iter().map(Informant::new).collect();
            let ask = redis::cmd("SENTINEL")
                .arg("GET-MASTER-ADDR-BY-NAME")
                .arg(&master)
                .to_owned();
            every(|| ask_sentinels(&fleet, &sentinels, &ask)).await;
        }
        Reach::Cluster(seeds) => {
            let seeds: Vec<_> = seeds.into_iter().map(Informant::new).collect();
            every(|| ask_cluster(&fleet, &seeds)).await;
        }
    }
}

async fn every<F: Future<Output = ()>>(mut act: impl FnMut() -> F) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        act().await;
    }
}

/// A server that is asked who the masters are, over a connection of its own.
struct Informant {
    address: Address,
    line: Mutex<Option<MultiplexedConnection>>,
}

impl Informant {
    fn new(address: Address) -> Self {
        Self {
            address,
            line: Mutex::new(None),
        }
    }

    async fn ask(&self, fleet: &Fleet, parties: &[Party], cmd: &Cmd) -> Result<Value, String> {
        let mut line = self.line.lock().await;
        let mut connection = match line.take() {
            Some(connection) => connection,
            None => self.dial(fleet, parties).await?,
        };
        let answer: Value = match timeout(PATIENCE, cmd.query_async(&mut connection)).await {
            Ok(answer) => answer.map_err(|error| error.to_string())?,
            Err(_) => return Err("no answer in time".to_owned()),
        };
        *line = Some(connection);
        Ok(answer)
    }

    async fn dial(&self, fleet: &Fleet, parties: &[Party]) -> Result<MultiplexedConnection, String> {
        let mut said = String::new();
        for party in parties {
            let client: Client = fleet
                .dialer
                .client(&self.address, *party)
                .map_err(|error| error.to_string())?;
            match timeout(PATIENCE, fleet.dialer.dial(&client)).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => said = error.to_string(),
                Err(_) => "connecting takes too long".clone_into(&mut said),
            }
        }
        Err(said)
    }
}

/// The most frequent of some answers, and how often it was given.
fn most_frequent<T: Clone + Eq + Hash>(answers: &[T], preferred: &T) -> Option<(T, usize)> {
    let mut votes = HashMap::<&T, usize>::new();
    for answer in answers {
        *votes.entry(answer).or_default() += 1;
    }
    let winner = votes
        .into_iter()
        .max_by_key(|(answer, count)| (*count, *answer == preferred));
    winner.map(|(answer, count)| (answer.clone(), count))
}

async fn ask_sentinels(fleet: &Fleet, sentinels: &[Informant], ask: &Cmd) {
    let sent = fleet.clock();
    // A sentinel may know the password of the servers, or none.
    let parties = [Party::Sentinel, Party::OpenSentinel];
    let mut asked: FuturesUnordered<_> = sentinels
        .iter()
        .map(|sentinel| sentinel.ask(fleet, &parties, ask))
        .collect();
    let (mut named, mut trouble) = (Vec::new(), "no sentinel knows a master of that name".to_owned());
    let current = fleet.map().ranges.clone();
    // Long enough for two ways of connecting and an answer.
    let mut enough = Instant::now() + PATIENCE * 3;
    while let Ok(Some(answer)) = timeout_at(enough, asked.next()).await {
        match answer.map(from_redis_value::<Option<(String, u16)>>) {
            Ok(Ok(Some((host, port)))) => named.push(vec![(0, SLOTS - 1, Address { host, port })]),
            Ok(_) => {}
            Err(error) => trouble = error,
        }
        // Whoever does not answer must not make what most of them say too old to be believed.
        if most_frequent(&named, &current).is_some_and(|(_, count)| count * 2 > sentinels.len()) {
            enough = enough.min(Instant::now() + LINGER);
        }
    }
    let Some((found, count)) = most_frequent(&named, &current) else {
        return fleet.despair(&trouble);
    };
    // Without a majority there may be another one, with another master.
    let is_sure = count * 2 > sentinels.len();
    if is_sure || current.is_empty() {
        adopt(fleet, found);
    }
    if is_sure {
        fleet.confirm(sent + GOOD_FOR);
    }
}

async fn ask_cluster(fleet: &Fleet, seeds: &[Informant]) {
    let sent = fleet.clock();
    let ask = redis::cmd("CLUSTER").arg("SLOTS").to_owned();
    let map = fleet.map();
    let deadline = Instant::now() + PATIENCE;
    let asked = map.nodes.iter().map(async |node| {
        let answer = node.ask(&ask, false, deadline).await.ok()?;
        ranges(&answer, &node.address)
    });
    let answers: Vec<Vec<Range>> = join_all(asked).await.into_iter().flatten().collect();
    if let Some((found, count)) = most_frequent(&answers, &map.ranges) {
        // Those on the other side of a split may know other masters.
        let is_sure = count == answers.len() && count * 2 > map.nodes.len();
        adopt(fleet, found);
        if is_sure {
            fleet.confirm(sent + GOOD_FOR);
        }
        return;
    }
    let mut trouble = "no node of the cluster knows who keeps what".to_owned();
    for seed in seeds {
        match seed.ask(fleet, &[Party::Server], &ask).await {
            Ok(answer) => match ranges(&answer, &seed.address) {
                Some(found) if !found.is_empty() => return adopt(fleet, found),
                _ => {}
            },
            Err(error) => trouble = error,
        }
    }
    fleet.despair(&trouble);
}

fn adopt(fleet: &Fleet, found: Vec<Range>) {
    if let Err(fault) = fleet.adopt(found) {
        tracing::warn!(error = %fault, "a master of Redis cannot be used");
    }
}

/// The masters in an answer to `CLUSTER SLOTS`.
fn ranges(answer: &Value, teller: &Address) -> Option<Vec<Range>> {
    let Value::Array(entries) = answer else {
        return None;
    };
    let mut ranges = Vec::with_capacity(entries.len());
    for entry in entries {
        let Value::Array(entry) = entry else {
            return None;
        };
        let [first, last, Value::Array(master), ..] = entry.as_slice() else {
            return None;
        };
        let [host, port, ..] = master.as_slice() else {
            return None;
        };
        let host: Option<String> = read(host).ok()?;
        let port: u16 = read(port).ok()?;
        let address = address_of(host.as_deref().unwrap_or_default(), port, teller);
        ranges.push((read(first).ok()?, read(last).ok()?, address));
    }
    ranges.sort();
    Some(ranges)
}

fn read<T: FromRedisValue>(value: &Value) -> Result<T, Fault> {
    from_redis_value(value.clone()).map_err(|_| Fault::Garbled("an entry of the cluster's slots"))
}
