//! A Redis that comes back empty, older, or as another server brings nothing dead back and lifts no limit.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use conformance::Link;
use conformance::sample::{at, flow, key, session, token};
use domain::flow_record::FlowKind;
use domain::limits::{LimitKey, Quota, Verdict};
use domain::ports::{FlowStore as _, PortError, SessionStore as _, Tombstones as _};
use domain::time::Lifetime;
use domain::tombstone::Tombstone;
use servers::{Redis, Sentinel};
use sessions_redis::RedisSessions;

use crate::common::{config, open, prefix, until};
use crate::stones::Stones;
use crate::take;

const KIND: FlowKind = FlowKind::ResetPassword;
const FIVE: Quota = Quota::Rate {
    burst: 5,
    per: Lifetime::from_secs(500),
};

/// What was live, what was ended and what was spent.
struct World {
    prefix: String,
    stones: Arc<Stones>,
    node: Arc<RedisSessions>,
}

fn counter() -> [(LimitKey, Quota); 1] {
    [(LimitKey::new("login", &["ann"]), FIVE)]
}

impl World {
    async fn before(url: &str) -> Self {
        let (prefix, stones) = (prefix(), Arc::<Stones>::default());
        let node = open(config(url, &prefix), &stones.durable()).await;
        let ann = key("Users", "ann");
        for name in ["live", "ended", "ended elsewhere"] {
            node.open(&session(&ann, name)).await.unwrap();
        }
        for name in ["unfinished", "spent", "voided"] {
            let owner = if name == "voided" {
                key("Users", "bob")
            } else {
                ann.clone()
            };
            node.put(&flow(&owner, KIND, name)).await.unwrap();
        }
        Self { prefix, stones, node }
    }

    /// What must never come back.
    async fn end_and_spend(&self) {
        assert!(SessionStoreOf(&self.node).end("ended").await);
        assert!(SessionStoreOf(&self.node).end("ended elsewhere").await);
        assert!(take(&self.node, &token("spent")).await.unwrap().is_some());
        domain::ports::FlowStore::end_all(&*self.node, &key("Users", "bob"), KIND)
            .await
            .unwrap();
        for _ in 0..5 {
            let verdict = domain::ports::RateLimiter::take(&*self.node, &counter(), at(0))
                .await
                .unwrap();
            assert_eq!(verdict, Verdict::Allowed);
        }
    }

    /// Whether a key of a session or flow is in a server.
    fn is_in(&self, server: &Redis, kind: &str, name: &str) -> bool {
        let key = format!("{}{kind}:{{{}}}", self.prefix, token(name).to_text());
        server.ask(&["EXISTS", &key]).ends_with('1')
    }

    /// Waits until the node works again, and says how long that took.
    async fn healed(&self) -> Duration {
        until("healing", async || {
            let found = self.node.find_session("live").await;
            found.is_ok()
        })
        .await
    }

    /// Nothing dead lives, at this node and at one that was started later.
    async fn nothing_came_back(&self, url: &str) {
        let late = open(config(url, &self.prefix), &self.stones.durable()).await;
        for node in [&self.node, &late] {
            for name in ["ended", "ended elsewhere"] {
                assert_eq!(node.find_session(name).await.unwrap(), None, "{name} came back");
                assert!(!SessionStoreOf(node).end(name).await, "{name} ended twice");
            }
            for name in ["spent", "voided"] {
                let found = domain::ports::FlowStore::find(&**node, &token(name))
                    .await
                    .unwrap();
                assert_eq!(found, None, "{name} came back");
                let replaced = node
                    .replace(&flow(&key("Users", "ann"), KIND, name))
                    .await
                    .unwrap();
                assert!(!replaced, "{name} was replaced");
                assert_eq!(
                    take(node, &token(name)).await.unwrap(),
                    None,
                    "{name} was taken twice"
                );
            }
            let listed = domain::ports::FlowStore::list(&**node, &key("Users", "ann"), KIND)
                .await
                .unwrap();
            assert!(listed.iter().all(|flow| flow.id != token("spent")));
            let page = domain::ports::SessionStore::list(&**node, None, None, 99)
                .await
                .unwrap();
            assert!(page.sessions.iter().all(|session| session.token == token("live")));
        }
    }

    async fn no_limit_was_lifted(&self) {
        let verdict = domain::ports::RateLimiter::take(&*self.node, &counter(), at(0))
            .await
            .unwrap();
        assert!(matches!(verdict, Verdict::Denied { .. }), "{verdict:?}");
    }
}

/// Short for what is asked often.
struct SessionStoreOf<'a>(&'a RedisSessions);

impl SessionStoreOf<'_> {
    async fn end(&self, name: &str) -> bool {
        self.0.end(&token(name)).await.unwrap()
    }
}

trait FindSession {
    async fn find_session(&self, name: &str) -> Result<Option<domain::session::Session>, PortError>;
}

impl FindSession for RedisSessions {
    async fn find_session(&self, name: &str) -> Result<Option<domain::session::Session>, PortError> {
        domain::ports::SessionStore::find(self, &token(name)).await
    }
}

#[test]
fn a_redis_that_restarts_empty_revives_nothing_and_lifts_no_limit() {
    conformance::run(async {
        let mut server = Redis::start();
        let world = World::before(&server.url()).await;
        world.end_and_spend().await;
        server.restart_empty();
        println!("healed {:?} after the empty restart", world.healed().await);
        assert_eq!(
            world.node.find_session("live").await.unwrap(),
            None,
            "people log in again"
        );
        world.nothing_came_back(&server.url()).await;
        world.no_limit_was_lifted().await;
        let again = session(&key("Users", "ann"), "again");
        world.node.open(&again).await.unwrap();
        assert_eq!(world.node.find_session("again").await.unwrap(), Some(again));
    });
}

#[test]
fn a_redis_that_restarts_with_an_older_copy_revives_nothing_and_lifts_no_limit() {
    conformance::run(async {
        let mut server = Redis::start();
        let world = World::before(&server.url()).await;
        assert_eq!(server.ask(&["SAVE"]), "OK");
        world.end_and_spend().await;
        server.restart();
        println!(
            "healed {:?} after the restart with an older copy",
            world.healed().await
        );
        for (kind, name) in [("s", "ended"), ("f", "spent"), ("f", "voided"), ("s", "live")] {
            assert!(world.is_in(&server, kind, name), "{name} is in the older copy");
        }
        world.nothing_came_back(&server.url()).await;
        world.no_limit_was_lifted().await;
        assert!(world.node.find_session("live").await.unwrap().is_some());
        assert!(take(&world.node, &token("unfinished")).await.unwrap().is_some());
    });
}

#[test]
fn the_durable_store_is_asked_once_for_a_session_of_an_older_copy() {
    conformance::run(async {
        let mut server = Redis::start();
        let prefix = prefix();
        let stones = Arc::<Stones>::default();
        let mut config = config(&server.url(), &prefix);
        config.cache_bytes = 0;
        let node = open(config, &stones.durable()).await;
        node.open(&session(&key("Users", "ann"), "live")).await.unwrap();
        for _ in 0..5 {
            assert!(node.find_session("live").await.unwrap().is_some());
        }
        assert_eq!(stones.asked(), 0, "never while nothing happened");
        assert_eq!(server.ask(&["SAVE"]), "OK");
        server.restart();
        until("healing", async || node.find_session("live").await.is_ok()).await;
        for _ in 0..5 {
            assert!(node.find_session("live").await.unwrap().is_some());
        }
        assert_eq!(stones.asked(), 1);
    });
}

#[test]
fn while_the_durable_store_is_down_nothing_of_an_older_copy_is_believed() {
    conformance::run(async {
        let mut server = Redis::start();
        let world = World::before(&server.url()).await;
        assert_eq!(server.ask(&["SAVE"]), "OK");
        server.restart();
        world.healed().await;
        // Another than the one that was asked for while healing.
        world.stones.set_down(true);
        for name in ["ended", "ended elsewhere"] {
            let said = world.node.find_session(name).await;
            assert!(matches!(said, Err(PortError::Unavailable { .. })), "{said:?}");
        }
        let said = domain::ports::FlowStore::find(&*world.node, &token("spent")).await;
        assert!(matches!(said, Err(PortError::Unavailable { .. })), "{said:?}");
        world.stones.set_down(false);
        assert!(world.node.find_session("ended").await.unwrap().is_some());
    });
}

/// Asks a server by `redis-cli`.
fn ask(port: u16, command: &[&str]) -> String {
    let output = Command::new("redis-cli")
        .args(["-p", &port.to_string()])
        .args(command)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until a replica has what its master has.
async fn replicated(servers: &mut Sentinel) {
    let [master, replica] = servers.servers() else {
        unreachable!("a master and a replica");
    };
    until("the replica", async || {
        replica.ask(&["DBSIZE"]) == master.ask(&["DBSIZE"])
    })
    .await;
}

/// From here on nothing that is written to the master reaches its replica.
fn cut_replication(master: u16) {
    ask(
        master,
        &["ACL", "SETUSER", "default", "-psync", "-sync", "-replconf"],
    );
    ask(master, &["CLIENT", "KILL", "TYPE", "replica"]);
    let began = Instant::now();
    while !ask(master, &["INFO", "replication"]).contains("connected_slaves:0") {
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_failover_that_loses_the_last_writes_revives_nothing() {
    conformance::run(async {
        let mut servers = Sentinel::start(3);
        let world = World::before(&servers.url()).await;
        let caching = until("the cache", async || world.node.is_caching()).await;
        println!("caching after {caching:?}");
        // Both have it all.
        let before = servers.master_port();
        replicated(&mut servers).await;
        cut_replication(before);
        world.end_and_spend().await;
        let url = servers.url();
        let began = Instant::now();
        tokio::task::block_in_place(|| servers.failover());
        let promoted = began.elapsed();
        world.healed().await;
        println!(
            "promoted {promoted:?} after the kill, healed {:?} after it",
            began.elapsed()
        );
        let master = servers.current_master();
        assert_ne!(master.port(), before);
        for (kind, name) in [("s", "ended"), ("f", "spent"), ("f", "voided")] {
            assert!(
                world.is_in(master, kind, name),
                "the new master never heard of the end of {name}"
            );
        }
        world.nothing_came_back(&url).await;
        world.no_limit_was_lifted().await;
        assert!(world.node.find_session("live").await.unwrap().is_some());
        assert!(take(&world.node, &token("unfinished")).await.unwrap().is_some());
    });
}

#[test]
fn failing_over_and_back_to_the_same_process_revives_nothing() {
    conformance::run(async {
        let mut servers = Sentinel::start(1);
        let world = World::before(&servers.url()).await;
        let first = servers.master_port();
        replicated(&mut servers).await;
        let run_id = ask(first, &["INFO", "server"])
            .lines()
            .find(|line| line.starts_with("run_id"))
            .unwrap()
            .to_owned();
        cut_replication(first);
        world.end_and_spend().await;
        let sentinel: u16 = servers
            .url()
            .split(['/', ','])
            .nth(2)
            .unwrap()
            .rsplit(':')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let promote = || async move {
            let before = ask(sentinel, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "tests"]);
            until("a fail-over that begins", async || {
                ask(sentinel, &["SENTINEL", "FAILOVER", "tests"]).trim() == "OK"
            })
            .await;
            until("another master", async || {
                ask(sentinel, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "tests"]) != before
            })
            .await
        };
        promote().await;
        ask(first, &["ACL", "SETUSER", "default", "+@all"]);
        until("the first as a replica", async || {
            ask(first, &["INFO", "replication"]).contains("master_link_status:up")
        })
        .await;
        promote().await;
        until("the first as the master", async || {
            ask(first, &["ROLE"]).starts_with("master")
        })
        .await;
        assert!(
            ask(first, &["INFO", "server"]).contains(&run_id),
            "it is the same process"
        );
        world.healed().await;
        let key = format!("{}s:{{{}}}", world.prefix, token("ended").to_text());
        assert_eq!(
            ask(first, &["EXISTS", &key]).trim(),
            "1",
            "it has the ended session again"
        );
        world.nothing_came_back(&servers.url()).await;
        world.no_limit_was_lifted().await;
    });
}

#[test]
fn on_the_wrong_side_of_a_split_nothing_is_believed_without_the_store() {
    conformance::run(async {
        let servers = Sentinel::start(3);
        let url = servers.url();
        let (_, rest) = url.split_once("://").unwrap();
        let (sentinels, name) = rest.split_once('/').unwrap();
        let mut links = Vec::new();
        for sentinel in sentinels.split(',') {
            links.push(Link::to(sentinel).await);
        }
        let hosts: Vec<String> = links.iter().map(Link::address).collect();
        let (prefix, stones) = (prefix(), Arc::<Stones>::default());
        let url = format!("redis-sentinel://{}/{name}", hosts.join(","));
        let node = open(config(&url, &prefix), &stones.durable()).await;
        let (live, ended) = (
            session(&key("Users", "ann"), "live"),
            session(&key("Users", "ann"), "ended"),
        );
        node.open(&live).await.unwrap();
        node.open(&ended).await.unwrap();
        until("the cache", async || node.is_caching()).await;
        assert!(node.find_session("ended").await.unwrap().is_some());
        assert_eq!(stones.asked(), 0);
        for link in links.iter().take(2) {
            link.cut().await;
        }
        // Another node, which has the majority on its side, ends it at another master.
        assert!(stones.bury(&Tombstone::of_session(&ended)).await.unwrap());
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!node.is_caching());
        assert_eq!(node.find_session("ended").await.unwrap(), None);
        assert_eq!(node.find_session("live").await.unwrap(), Some(live));
        assert!(stones.asked() > 0);
        for link in &links {
            link.heal().await;
        }
        let healed = until("the majority", async || node.is_caching()).await;
        println!("trusted again {healed:?} after the split");
    });
}

#[test]
fn what_a_session_takes_in_redis_is_what_the_readme_says() {
    conformance::run(async {
        const SESSIONS: usize = 5_000;
        let server = Redis::start();
        let used = || -> usize {
            let info = server.ask(&["INFO", "memory"]);
            let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
            line.unwrap().trim().parse().unwrap()
        };
        let mut config = config(&server.url(), "portcullis:");
        config.cache_bytes = 0;
        let node = open(config, &Arc::<Stones>::default().durable()).await;
        node.open(&session(&key("Users", "nobody"), "first"))
            .await
            .unwrap();
        let before = used();
        for number in 0..SESSIONS {
            let owner = key("Users", &format!("0192f0c1-7f3a-7cc0-9d3e-{number:012}"));
            node.open(&session(&owner, &number.to_string())).await.unwrap();
        }
        let each = (used() - before) / SESSIONS;
        println!("{each} bytes for each session, with its index");
        assert!(each < 1_200, "{each}");
    });
}
