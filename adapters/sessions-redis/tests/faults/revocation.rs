//! What ends at one node is over at the others within a second, also where the wire that would tell is dead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use conformance::sample::{key, session};
use domain::ports::SessionStore;
use domain::session::Session;
use servers::{Redis, RedisCluster};
use sessions_redis::RedisSessions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::common::{config, durable, open, prefix, until};

const WITHIN: Duration = Duration::from_secs(1);

async fn found(node: &RedisSessions, session: &Session) -> bool {
    SessionStore::find(node, &session.token).await.unwrap().is_some()
}

/// Opens a session and has it in the memory of both nodes.
async fn shared(nodes: [&Arc<RedisSessions>; 2], name: &str) -> Session {
    let opened = session(&key("Users", "ann"), name);
    nodes[0].open(&opened).await.unwrap();
    for node in nodes {
        until("the cache", async || node.is_caching()).await;
        assert!(found(node, &opened).await);
        assert!(found(node, &opened).await);
    }
    opened
}

/// How long after its end a session is found elsewhere.
async fn latency(nodes: [&Arc<RedisSessions>; 2], name: &str) -> Duration {
    let ended = shared(nodes, name).await;
    assert!(nodes[0].end(&ended.token).await.unwrap());
    let acknowledged = Instant::now();
    assert!(!found(nodes[0], &ended).await, "at once where it was ended");
    while found(nodes[1], &ended).await {
        assert!(acknowledged.elapsed() < WITHIN);
        tokio::task::yield_now().await;
    }
    acknowledged.elapsed()
}

async fn measure(url: &str, rounds: usize) {
    let (durable, prefix) = (durable(), prefix());
    let here = open(config(url, &prefix), &durable).await;
    let there = open(config(url, &prefix), &durable).await;
    let mut times = Vec::new();
    for round in 0..rounds {
        times.push(latency([&here, &there], &round.to_string()).await);
    }
    times.sort();
    println!(
        "revocation elsewhere, {rounds} rounds: median {:?}, longest {:?}",
        times[rounds / 2],
        times[rounds - 1]
    );
}

#[test]
fn a_revocation_is_heard_everywhere_within_a_second() {
    conformance::run(async {
        let server = Redis::start();
        measure(&server.url(), 200).await;
    });
}

#[test]
fn a_revocation_is_heard_everywhere_within_a_second_in_a_cluster() {
    conformance::run(async {
        let cluster = RedisCluster::start();
        measure(&cluster.url(), 100).await;
    });
}

/// A forwarder that can hold back what is said on the wire that listens, and on no other.
async fn muffler(server: u16, muffled: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
                continue;
            };
            tokio::spawn(carry(client, server, Arc::clone(&muffled)));
        }
    });
    port
}

async fn carry(client: TcpStream, server: TcpStream, muffled: Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let listens = Arc::new(AtomicBool::new(false));
    let it_listens = Arc::clone(&listens);
    let there = tokio::spawn(async move {
        let mut piece = vec![0; 65536];
        while let Ok(length @ 1..) = from_client.read(&mut piece).await {
            if piece[..length].windows(8).any(|word| word == b"TRACKING") {
                it_listens.store(true, Ordering::SeqCst);
            }
            if to_server.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
    });
    let mut piece = vec![0; 65536];
    while let Ok(length @ 1..) = from_server.read(&mut piece).await {
        while listens.load(Ordering::SeqCst) && muffled.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        if to_client.write_all(&piece[..length]).await.is_err() {
            break;
        }
    }
    there.abort();
}

#[test]
fn a_revocation_holds_within_a_second_also_where_the_listening_wire_is_silently_dead() {
    conformance::run(async {
        let server = Redis::start();
        let (durable, prefix, muffled) = (durable(), prefix(), Arc::<AtomicBool>::default());
        let port = muffler(server.port(), Arc::clone(&muffled)).await;
        let here = open(config(&server.url(), &prefix), &durable).await;
        let there = open(config(&format!("redis://127.0.0.1:{port}"), &prefix), &durable).await;
        let mut times = Vec::new();
        for round in 0..10_u64 {
            let ended = shared([&here, &there], &round.to_string()).await;
            // At any point between two pings.
            tokio::time::sleep(Duration::from_millis(23 * round)).await;
            muffled.store(true, Ordering::SeqCst);
            assert!(here.end(&ended.token).await.unwrap());
            let acknowledged = Instant::now();
            while found(&there, &ended).await {
                assert!(acknowledged.elapsed() < WITHIN);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            times.push(acknowledged.elapsed());
            // The rest of Redis is in reach all the while.
            let other = session(&key("Users", "bob"), &format!("bob {round}"));
            here.open(&other).await.unwrap();
            assert!(found(&there, &other).await);
            muffled.store(false, Ordering::SeqCst);
        }
        times.sort();
        println!(
            "with a dead wire: shortest {:?}, longest {:?}",
            times[0], times[9]
        );
        assert!(
            times[9] > Duration::from_millis(100),
            "else nothing was held back"
        );
    });
}

#[test]
fn a_read_on_its_way_while_its_session_ends_elsewhere_is_not_remembered() {
    conformance::run(async {
        let server = Redis::start();
        let (durable, prefix) = (durable(), prefix());
        let here = open(config(&server.url(), &prefix), &durable).await;
        let there = open(config(&server.url(), &prefix), &durable).await;
        for node in [&here, &there] {
            until("the cache", async || node.is_caching()).await;
        }
        for round in 0..200 {
            let opened = session(&key("Users", "ann"), &round.to_string());
            here.open(&opened).await.unwrap();
            let readers: Vec<_> = (0..4)
                .map(|_| {
                    let (there, opened) = (Arc::clone(&there), opened.clone());
                    tokio::spawn(async move { found(&there, &opened).await })
                })
                .collect();
            assert!(here.end(&opened.token).await.unwrap());
            for reader in readers {
                reader.await.unwrap();
            }
            let acknowledged = Instant::now();
            while found(&there, &opened).await {
                assert!(acknowledged.elapsed() < WITHIN, "round {round} was remembered");
                tokio::task::yield_now().await;
            }
        }
    });
}

#[test]
fn everything_is_forgotten_when_redis_is_emptied() {
    conformance::run(async {
        let server = Redis::start();
        let node = open(config(&server.url(), &prefix()), &durable()).await;
        let gone = shared([&node, &node], "a").await;
        assert_eq!(server.ask(&["FLUSHALL"]), "OK");
        let heard = until("the news", async || !found(&node, &gone).await).await;
        assert!(heard < WITHIN, "{heard:?}");
    });
}
