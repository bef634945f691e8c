//! What was acknowledged survives the end of the server, however it ends, and nobody waits for a server that is gone.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use conformance::sample::{flow, identity, key, session, token, with_email};
use domain::flow_record::FlowKind;
use domain::ports::{FlowStore, LookupKey, PortError, SessionStore, UserStore};
use domain::user::User;
use servers::Postgres;
use storage_postgres::{PostgresConfig, PostgresStore};

/// No call may take longer, whatever happens.
const WITHIN: Duration = Duration::from_secs(3);

/// Does something to the server on a thread where it may block.
async fn with<T: Send + 'static>(
    server: Postgres,
    work: impl FnOnce(&mut Postgres) -> T + Send + 'static,
) -> (Postgres, T) {
    let working = tokio::task::spawn_blocking(move || {
        let mut server = server;
        let done = work(&mut server);
        (server, done)
    });
    working.await.unwrap()
}

async fn started(durable: bool) -> (Postgres, String) {
    let starting = tokio::task::spawn_blocking(move || {
        let setup = Postgres::setup();
        let server = if durable { setup.durable() } else { setup }.start();
        let name = server.create_database();
        (server, name)
    });
    starting.await.unwrap()
}

/// A user with an address and an account elsewhere.
fn user(name: &str) -> User {
    User {
        identities: Arc::new(vec![identity("google", name)]),
        ..with_email(name, &format!("ann{name}@example.com"))
    }
}

/// What one writer was told.
#[derive(Default)]
struct Told {
    created: Vec<String>,
    ended: Vec<String>,
    taken: Vec<String>,
    failed: usize,
}

/// Signs up, opens and ends sessions, puts and takes flows, until it is told to stop.
async fn write(
    store: Arc<PostgresStore>,
    writer: usize,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
) -> Told {
    let mut told = Told::default();
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let name = format!("{writer}-{number}");
        match write_once(&store, &name, &mut told).await {
            Ok(()) => {
                done.fetch_add(1, Ordering::SeqCst);
            }
            Err(PortError::Unavailable { .. } | PortError::Busy { .. }) => {
                told.failed += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    told
}

async fn write_once(store: &PostgresStore, name: &str, told: &mut Told) -> Result<(), PortError> {
    let began = Instant::now();
    let user = user(name);
    store.create(&user).await?;
    told.created.push(name.to_owned());
    store.open(&session(&user.key, name)).await?;
    if store.end(&token(name)).await? {
        told.ended.push(name.to_owned());
    }
    store.put(&flow(&user.key, FlowKind::ResetPassword, name)).await?;
    if store.take(&token(name)).await?.is_some() {
        told.taken.push(name.to_owned());
    }
    assert!(began.elapsed() < WITHIN * 5, "five calls");
    Ok(())
}

async fn check(store: &PostgresStore, told: &Told) {
    for name in &told.created {
        let expected = Some(user(name));
        let found = UserStore::find(store, &key("Users", name)).await.unwrap();
        assert_eq!(found, expected, "{name} was acknowledged");
        let by_identity = LookupKey::Identity(identity("google", name).key.to_text());
        let linked = store.find_by(&key("Users", "").pool, &by_identity).await.unwrap();
        assert_eq!(linked, expected);
    }
    for name in &told.ended {
        let found = SessionStore::find(store, &token(name)).await.unwrap();
        assert_eq!(found, None, "{name} was ended");
    }
    for name in &told.taken {
        assert_eq!(store.take(&token(name)).await.unwrap(), None, "{name} was taken");
    }
}

#[test]
fn a_server_killed_in_a_burst_of_writes_loses_nothing_it_acknowledged() {
    conformance::run(async {
        let (mut server, name) = started(true).await;
        let store = Arc::new(
            PostgresStore::open(&PostgresConfig::new(server.url(&name)))
                .await
                .unwrap(),
        );
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                tokio::spawn(write(
                    Arc::clone(&store),
                    writer,
                    Arc::clone(&stop),
                    Arc::clone(&done),
                ))
            })
            .collect();
        for round in 1..=3 {
            while done.load(Ordering::SeqCst) < round * 40 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            server = with(server, |server| {
                server.kill();
                server.restart();
            })
            .await
            .0;
        }
        while done.load(Ordering::SeqCst) < 160 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.store(true, Ordering::SeqCst);
        let mut acknowledged = 0;
        for writer in writers {
            let told = writer.await.unwrap();
            acknowledged += told.created.len();
            check(&store, &told).await;
        }
        println!("acknowledged {acknowledged}, found {acknowledged}");
        drop((store, server));
    });
}

#[test]
fn nobody_waits_long_for_a_frozen_server_and_soon_after_it_is_back_all_is_well() {
    conformance::run(async {
        let (server, name) = started(false).await;
        let store = PostgresStore::open(&PostgresConfig::new(server.url(&name)))
            .await
            .unwrap();
        let ann = with_email("ann", "ann@example.com");
        store.create(&ann).await.unwrap();
        let (server, ()) = with(server, Postgres::freeze).await;
        let mut waits = Vec::new();
        for _ in 0..50 {
            let began = Instant::now();
            let said = UserStore::find(&store, &ann.key).await;
            assert!(
                matches!(said, Err(PortError::Unavailable { retry: true, .. })),
                "{said:?}"
            );
            waits.push(began.elapsed());
        }
        assert!(waits.iter().all(|wait| *wait < WITHIN), "{waits:?}");
        let slow = waits.iter().filter(|wait| **wait > Duration::from_millis(50));
        assert_eq!(slow.count(), 1, "one finds out for all: {waits:?}");
        let (server, ()) = with(server, Postgres::thaw).await;
        let thawed = Instant::now();
        while UserStore::find(&store, &ann.key).await.is_err() {
            assert!(thawed.elapsed() < Duration::from_secs(1), "still closed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        println!("healed after {:?}", thawed.elapsed());
        drop((store, server));
    });
}

#[test]
fn a_store_that_was_told_of_both_servers_goes_on_with_the_promoted_standby() {
    conformance::run(async {
        let (server, name) = started(true).await;
        let (server, standby) = with(server, |server| {
            let standby = server.standby();
            server.wait_for_standby();
            standby
        })
        .await;
        let url = format!(
            "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/{name}",
            standby.port(),
            server.port()
        );
        let store = PostgresStore::open(&PostgresConfig::new(url)).await.unwrap();
        let mut told = Told::default();
        for number in 0..20 {
            write_once(&store, &number.to_string(), &mut told).await.unwrap();
        }
        let (server, ()) = with(server, Postgres::kill).await;
        let refused = store.ready().await;
        assert!(
            matches!(refused, Err(PortError::Unavailable { .. })),
            "{refused:?}"
        );
        let (standby, ()) = with(standby, |standby| standby.promote()).await;
        let promoted = Instant::now();
        while store.ready().await.is_err() {
            assert!(promoted.elapsed() < Duration::from_secs(2), "still closed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        println!("went on after {:?}", promoted.elapsed());
        check(&store, &told).await;
        write_once(&store, "after", &mut told).await.unwrap();
        check(&store, &told).await;
        drop((store, server, standby));
    });
}
