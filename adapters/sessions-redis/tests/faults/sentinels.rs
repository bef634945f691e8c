//! Sentinels that do not answer, or name another master than the one a node still talks to.

use std::sync::Arc;
use std::time::Duration;

use conformance::Link;
use conformance::sample::{key, session};
use domain::ports::{PortError, SessionStore};
use domain::session::Session;
use servers::Sentinel;
use sessions_redis::RedisSessions;
use tokio::net::TcpListener;

use crate::common::{config, durable, open, prefix, prompt, until};

/// A sentinel that takes connections and never says a word.
async fn mute() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn one_sentinel_that_never_answers_puts_nobody_in_doubt() {
    conformance::run(async {
        let servers = Sentinel::start(2);
        let (_mute, port) = mute().await;
        let url = servers.url();
        let (hosts, name) = url.rsplit_once('/').unwrap();
        let node = open(
            prompt(&format!("{hosts},127.0.0.1:{port}/{name}"), &prefix()),
            &durable(),
        )
        .await;
        until("the cache", async || node.is_caching()).await;
        // Longer than the mute one is waited for where it matters.
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            until("the cache", async || node.is_caching()).await;
        }
    });
}

/// Two nodes, of which one goes on with the master of before while the other has the new one.
struct Split {
    _servers: Sentinel,
    here: Arc<RedisSessions>,
    there: Arc<RedisSessions>,
    link: Link,
    session: Session,
}

impl Split {
    async fn new() -> Self {
        let mut servers = Sentinel::start(1);
        let url = servers.url();
        let (host, name) = url.split_once("://").unwrap().1.split_once('/').unwrap();
        let link = Link::to(host).await;
        let (prefix, durable) = (prefix(), durable());
        let there = format!("redis-sentinel://{}/{name}", link.address());
        let there = open(config(&there, &prefix), &durable).await;
        let here = open(config(&url, &prefix), &durable).await;
        let session = session(&key("Users", "ann"), "a");
        there.open(&session).await.unwrap();
        for node in [&here, &there] {
            until("the cache", async || node.is_caching()).await;
            assert_eq!(found(node, &session).await, Some(session.clone()));
        }
        let [master, replica] = servers.servers() else {
            unreachable!("a master and a replica");
        };
        until("the replica", async || {
            replica.ask(&["DBSIZE"]) == master.ask(&["DBSIZE"])
        })
        .await;
        // The old master stays what it is, and one node does not hear of the new one.
        let sentinel: u16 = host.rsplit_once(':').unwrap().1.parse().unwrap();
        let (port, sentinel) = (replica.port().to_string(), sentinel.to_string());
        link.stall().await;
        tell(&sentinel, &["SENTINEL", "REMOVE", name]);
        assert_eq!(replica.ask(&["REPLICAOF", "NO", "ONE"]), "OK");
        tell(&sentinel, &["SENTINEL", "MONITOR", name, "127.0.0.1", &port, "1"]);
        until("the new master", async || {
            found(&here, &session).await;
            replica.ask(&["CLIENT", "LIST"]).contains("cmd=evalsha")
                || replica.ask(&["CLIENT", "LIST"]).contains("cmd=eval")
        })
        .await;
        assert!(found(&here, &session).await.is_some());
        Self {
            _servers: servers,
            here,
            there,
            link,
            session,
        }
    }

    async fn is_over_once_healed(&self) {
        self.link.heal().await;
        until("the end", async || {
            found(&self.here, &self.session).await.is_none() && self.there.pending_deletions() == 0
        })
        .await;
        assert_eq!(found(&self.there, &self.session).await, None);
    }
}

fn tell(port: &str, command: &[&str]) {
    let done = std::process::Command::new("redis-cli")
        .args(["-p", port])
        .args(command)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(done.stdout).unwrap().trim(), "OK");
}

async fn found(node: &RedisSessions, session: &Session) -> Option<Session> {
    SessionStore::find(node, &session.token).await.ok().flatten()
}

#[test]
fn an_acknowledged_end_at_the_master_of_before_holds_at_the_new_one() {
    conformance::run(async {
        let split = Split::new().await;
        match split.there.end(&split.session.token).await {
            Ok(was_live) => {
                assert!(was_live);
                assert_eq!(found(&split.here, &split.session).await, None);
            }
            Err(error) => assert!(matches!(error, PortError::Unavailable { .. }), "{error:?}"),
        }
        split.is_over_once_healed().await;
    });
}

#[test]
fn an_end_at_a_master_that_nobody_confirms_is_not_acknowledged_until_it_holds() {
    conformance::run(async {
        let split = Split::new().await;
        until("the doubt", async || !split.there.is_caching()).await;
        // The new master is believed by now, and what it has carries its stamp.
        tokio::time::sleep(Duration::from_millis(1_300)).await;
        assert!(found(&split.here, &split.session).await.is_some());
        let said = split.there.end(&split.session.token).await;
        assert!(matches!(said, Err(PortError::Unavailable { .. })), "{said:?}");
        assert_eq!(split.there.pending_deletions(), 1);
        split.is_over_once_healed().await;
    });
}
