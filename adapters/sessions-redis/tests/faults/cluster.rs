//! A cluster that loses and regains masters, and moves slots.

use std::time::{Duration, Instant};

use conformance::sample::{key, session};
use domain::ports::{PortError, SessionStore};
use domain::session::Session;
use servers::RedisCluster;
use sessions_redis::RedisSessions;

use crate::common::{config, durable, open, prefix, prompt, until};

async fn sessions_in(node: &RedisSessions, count: usize) -> Vec<Session> {
    let ann = key("Users", "ann");
    let sessions: Vec<Session> = (0..count)
        .map(|number| session(&ann, &number.to_string()))
        .collect();
    for session in &sessions {
        node.open(session).await.unwrap();
    }
    sessions
}

/// Waits until the replica of the first master has what it has.
async fn replicated(cluster: &mut RedisCluster) {
    let nodes = cluster.nodes();
    let follows = format!("master_port:{}", nodes[0].port());
    let replica = nodes
        .iter()
        .find(|node| node.ask(&["INFO", "replication"]).contains(&follows))
        .unwrap();
    until("the replica", async || {
        let size = nodes[0].ask(&["DBSIZE"]);
        !size.ends_with(" 0") && replica.ask(&["DBSIZE"]) == size
    })
    .await;
}

async fn find(node: &RedisSessions, session: &Session) -> Result<Option<Session>, PortError> {
    SessionStore::find(node, &session.token).await
}

#[test]
fn one_dead_master_takes_only_its_own_part_away_and_its_replica_brings_that_back() {
    conformance::run(async {
        let mut cluster = RedisCluster::with_replicas();
        let mut config = prompt(&cluster.url(), &prefix());
        config.cache_bytes = 0;
        let node = open(config, &durable()).await;
        let sessions = sessions_in(&node, 60).await;
        replicated(&mut cluster).await;
        cluster.nodes()[0].kill();
        let killed = Instant::now();
        let (mut served, mut refused, mut longest) = (0, 0, Duration::ZERO);
        for session in &sessions {
            let began = Instant::now();
            match find(&node, session).await {
                Ok(found) => served += usize::from(found.is_some()),
                Err(PortError::Unavailable { .. }) => refused += 1,
                Err(error) => panic!("{error:?}"),
            }
            longest = longest.max(began.elapsed());
        }
        println!("with one master of three dead: {served} served, {refused} refused, longest {longest:?}");
        assert!(served > 20 && refused > 5, "{served} {refused}");
        assert!(longest < Duration::from_millis(1_500));
        until("the replica", async || {
            for session in &sessions {
                if find(&node, session).await.is_err() {
                    return false;
                }
            }
            true
        })
        .await;
        println!("all served again {:?} after the kill", killed.elapsed());
        for session in &sessions {
            assert_eq!(find(&node, session).await.unwrap().as_ref(), Some(session));
        }
        node.ready().await.unwrap();
    });
}

#[test]
fn a_failover_of_one_part_that_loses_the_last_writes_revives_nothing() {
    conformance::run(async {
        let mut cluster = RedisCluster::with_replicas();
        let (prefix, durable) = (prefix(), durable());
        let node = open(config(&cluster.url(), &prefix), &durable).await;
        let sessions = sessions_in(&node, 60).await;
        replicated(&mut cluster).await;
        let victim = &cluster.nodes()[0];
        // From here on nothing reaches its replica.
        victim.ask(&["ACL", "SETUSER", "default", "-psync", "-sync", "-replconf"]);
        victim.ask(&["CLIENT", "KILL", "TYPE", "replica"]);
        until("the cut", async || {
            victim
                .ask(&["INFO", "replication"])
                .contains("connected_slaves:0")
        })
        .await;
        for session in &sessions {
            assert!(node.end(&session.token).await.unwrap());
        }
        cluster.nodes()[0].kill();
        until("the replica", async || {
            let mut served = true;
            for session in &sessions {
                served &= find(&node, session).await.is_ok();
            }
            served
        })
        .await;
        let revived: usize = cluster.nodes()[1..]
            .iter()
            .map(|server| {
                let kept = server.ask(&["--scan", "--pattern", &format!("{prefix}s:*")]);
                kept.lines().count()
            })
            .sum();
        println!("the replica brought {revived} ended sessions back");
        assert!(revived > 5, "{revived}");
        let late = open(config(&cluster.url(), &prefix), &durable).await;
        for node in [&node, &late] {
            for session in &sessions {
                assert_eq!(find(node, session).await.unwrap(), None);
            }
        }
    });
}

#[test]
fn slots_that_move_are_followed() {
    conformance::run(async {
        let mut cluster = RedisCluster::start();
        let node = open(config(&cluster.url(), &prefix()), &durable()).await;
        let sessions = sessions_in(&node, 60).await;
        until("the cache", async || node.is_caching()).await;
        let nodes = cluster.nodes();
        let id = |at: usize| nodes[at].ask(&["CLUSTER", "MYID"]);
        let (from, to) = (id(0), id(1));
        let done = std::process::Command::new("redis-cli")
            .args(["--cluster", "reshard", &format!("127.0.0.1:{}", nodes[0].port())])
            .args([
                "--cluster-from",
                &from,
                "--cluster-to",
                &to,
                "--cluster-slots",
                "2000",
                "--cluster-yes",
            ])
            .output();
        let moving = tokio::task::spawn_blocking(move || done.unwrap());
        for session in sessions.iter().cycle().take(600) {
            assert_eq!(find(&node, session).await.unwrap().as_ref(), Some(session));
        }
        assert!(moving.await.unwrap().status.success());
        for session in &sessions {
            assert_eq!(find(&node, session).await.unwrap().as_ref(), Some(session));
            assert!(node.end(&session.token).await.unwrap());
            assert_eq!(find(&node, session).await.unwrap(), None);
        }
        until("the cache", async || node.is_caching()).await;
    });
}

#[test]
fn a_cluster_that_is_killed_and_restarted_as_a_whole_is_found_again() {
    conformance::run(async {
        let mut cluster = RedisCluster::start();
        let node = open(config(&cluster.url(), &prefix()), &durable()).await;
        let sessions = sessions_in(&node, 9).await;
        for server in cluster.nodes() {
            server.kill();
        }
        until("the outage", async || find(&node, &sessions[0]).await.is_err()).await;
        for server in cluster.nodes() {
            server.restart();
        }
        let healed = until("healing", async || node.open(&sessions[0]).await.is_ok()).await;
        println!("healed {healed:?} after the last node was started");
        let _ = sessions_in(&node, 9).await;
    });
}

#[test]
fn an_end_does_not_wait_for_the_index_of_its_user() {
    conformance::run(async {
        let mut cluster = RedisCluster::start();
        let prefix = prefix();
        let node = open(config(&cluster.url(), &prefix), &durable()).await;
        let sessions = sessions_in(&node, 20).await;
        until("the cache", async || node.is_caching()).await;
        let has = |server: &servers::Redis, key: &str| {
            let pattern = format!("{prefix}{key}*");
            server.ask(&["--scan", "--pattern", &pattern])
        };
        let nodes = cluster.nodes();
        let keeper = nodes.iter().position(|server| !has(server, "u:").is_empty());
        let keeper = keeper.unwrap();
        let beside = has(&nodes[keeper], "s:");
        let elsewhere = sessions
            .iter()
            .find(|session| !beside.contains(&session.token.to_text()))
            .unwrap();
        nodes[keeper].freeze();
        let began = Instant::now();
        assert!(node.end(&elsewhere.token).await.unwrap());
        let took = began.elapsed();
        nodes[keeper].thaw();
        // The index would be waited for as long as a call may take: 4 s.
        assert!(took < Duration::from_secs(3), "{took:?}");
    });
}
