//! Servers of the tests' own: passwords, TLS, crashes, a server that comes late or freezes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use conformance::sample::{key, session, token, with_email};
use domain::ports::{PortError, SessionStore, Tombstones, UserStore};
use domain::secret::Secret;
use domain::tombstone::Tombstone;
use servers::{Certificate, Mongo};
use storage_mongo::{MongoConfig, MongoStore, OpenError};

fn config(url: impl Into<String>) -> MongoConfig {
    MongoConfig::new(Secret::new(url))
}

#[test]
fn a_password_opens_and_a_wrong_one_is_refused_at_once_and_never_shown() {
    let server = Mongo::setup().user("ann", "hunter2").start();
    conformance::run(async {
        let url = server.url("logins");
        let store = MongoStore::open(&config(&*url)).await.unwrap();
        store.create(&with_email("1", "ann@example.com")).await.unwrap();
        store.close().await;
        for wrong in ["ann:hunter3@", "bob:hunter2@", ""] {
            let url = url.replace("ann:hunter2@", wrong);
            let began = Instant::now();
            let refused = MongoStore::open(&config(url)).await.err().unwrap();
            assert!(matches!(refused, OpenError::Refused { .. }), "{refused}");
            assert!(began.elapsed() < Duration::from_secs(8), "waiting does not help");
            let said = format!("{refused} {refused:?}");
            assert!(!said.contains("hunter"), "{said}");
        }
    });
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named_and_no_other() {
    let certificate = Certificate::new();
    let server = Mongo::setup().tls(&certificate).start();
    conformance::run(async {
        let url = format!("{}&tls=true", server.url("logins"));
        let mut trusting = config(&*url);
        trusting.ca_file = Some(certificate.authority());
        let store = MongoStore::open(&trusting).await.unwrap();
        let ann = with_email("1", "ann@example.com");
        store.create(&ann).await.unwrap();
        assert_eq!(UserStore::find(&store, &ann.key).await.unwrap(), Some(ann));
        let other = Certificate::new();
        for ca_file in [None, Some(other.authority())] {
            let mut suspicious = config(&*url);
            suspicious.patience = Duration::from_millis(100);
            suspicious.ca_file = ca_file;
            let refused = MongoStore::open(&suspicious).await.err().unwrap();
            assert!(matches!(refused, OpenError::Unreachable { .. }), "{refused}");
        }
        let mut clear = config(server.url("logins"));
        clear.patience = Duration::from_millis(100);
        assert!(
            MongoStore::open(&clear).await.is_err(),
            "the server speaks TLS alone"
        );
    });
}

/// Users are made one after another by several callers until the server is killed.
#[test]
fn every_acknowledged_write_survives_kill_9() {
    let mut server = Mongo::setup().durable().start();
    let url = server.url("logins");
    for round in 0..3 {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let store = Arc::new(runtime.block_on(MongoStore::open(&config(&*url))).unwrap());
        let done = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..8)
            .map(|caller| {
                let (store, done) = (Arc::clone(&store), Arc::clone(&done));
                runtime.spawn(async move { write_until(&store, &done, round, caller).await })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(700));
        server.kill();
        done.store(true, Ordering::SeqCst);
        let mut acknowledged = Vec::new();
        for caller in callers {
            acknowledged.extend(runtime.block_on(caller).unwrap());
        }
        server.restart();
        conformance::run(async {
            let again = MongoStore::open(&config(&*url)).await.unwrap();
            for name in &acknowledged {
                let user = UserStore::find(&again, &key("Users", name)).await.unwrap();
                assert!(user.is_some(), "{name} of {}", acknowledged.len());
                assert!(SessionStore::find(&again, &token(name)).await.unwrap().is_some());
                assert!(again.is_buried(&token(&format!("buried {name}"))).await.unwrap());
            }
        });
        assert!(acknowledged.len() > 8, "too few to tell: {}", acknowledged.len());
    }
}

/// Writes a user, a session and a tombstone at a time, and gives the names of those that were acknowledged altogether.
async fn write_until(store: &MongoStore, done: &AtomicBool, round: usize, caller: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let name = format!("{round}-{caller}-{number}");
        let user = with_email(&name, &format!("{name}@example.com"));
        let buried = Tombstone {
            token: token(&format!("buried {name}")),
            until: None,
        };
        let written = async {
            store.create(&user).await?;
            store.open(&session(&user.key, &name)).await?;
            store.bury(&buried).await
        };
        let said = written.await;
        let went_on = matches!(said, Ok(_) | Err(PortError::Unavailable { .. }));
        assert!(went_on, "{said:?}");
        if said.is_ok() {
            acknowledged.push(name);
        } else if done.load(Ordering::SeqCst) {
            break;
        } else {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    acknowledged
}

#[test]
fn a_server_that_comes_late_is_waited_for() {
    let mut server = Mongo::start();
    let url = server.url("logins");
    server.stop();
    let opening = std::thread::spawn(move || {
        conformance::run(async move {
            MongoStore::open(&config(url)).await.unwrap();
        });
    });
    std::thread::sleep(Duration::from_secs(3));
    server.restart();
    opening.join().unwrap();
}

#[test]
fn a_frozen_server_hangs_nobody_and_all_goes_on_when_it_thaws() {
    let mut server = Mongo::start();
    conformance::run(async {
        let store = MongoStore::open(&config(server.url("logins"))).await.unwrap();
        let ann = with_email("1", "ann@example.com");
        store.create(&ann).await.unwrap();
        server.freeze();
        for call in 0..5 {
            let began = Instant::now();
            let said = UserStore::find(&store, &ann.key).await;
            assert!(
                matches!(said, Err(PortError::Unavailable { retry: true, .. })),
                "{said:?}"
            );
            let most = if call == 0 { 4_000 } else { 500 };
            assert!(
                began.elapsed() < Duration::from_millis(most),
                "{:?}",
                began.elapsed()
            );
        }
        server.thaw();
        let thawed = Instant::now();
        while UserStore::find(&store, &ann.key).await.is_err() {
            assert!(thawed.elapsed() < Duration::from_secs(10), "it does not heal");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}
