//! What was acknowledged survives the end of the process, however it ends.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use conformance::sample::{at, blank, identity, key, message, session, token, with_email};
use domain::outbox::{OutboxMessage, Settled};
use domain::ports::{LookupKey, Outbox, PortError, SessionStore, UserStore};
use domain::time::Lifetime;
use domain::user::User;
use storage_sqlite::{SqliteConfig, SqliteStore};

/// Set for the child process alone.
const DATABASE: &str = "STORAGE_SQLITE_KILLED_DATABASE";

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(&SqliteConfig::new(path)).unwrap()
}

fn address(number: usize) -> String {
    format!("ann{number}@example.com")
}

/// A user with an address and an account elsewhere.
fn user(number: usize) -> User {
    User {
        identities: Arc::new(vec![identity("google", &number.to_string())]),
        ..with_email(&number.to_string(), &address(number))
    }
}

/// A code on its way: the attempt is written down before it is made.
fn attempted(user: &User) -> OutboxMessage {
    message(&user.key, user.key.id.as_str()).claimed(at(0), Lifetime::from_secs(60))
}

/// Not a test of its own: the process that the next one kills. Writes for ever and says what was acknowledged.
#[test]
#[ignore = "run as a child process by a_killed_process_loses_nothing_it_acknowledged"]
fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(DATABASE) else {
        return;
    };
    conformance::run(async {
        let store = open(Path::new(&path));
        for number in 0.. {
            let user = user(number);
            store.create(&user).await.unwrap();
            let open = session(&user.key, &number.to_string());
            store.open(&open).await.unwrap();
            let code = attempted(&user);
            store.put(&code).await.unwrap();
            if number % 3 == 0 {
                assert!(store.end(&open.token).await.unwrap());
                assert!(store.settle(&code.id, 1, Settled::Done).await.unwrap());
            }
            println!("\nacknowledged {number}");
        }
    });
}

/// Starts the child, waits until it has acknowledged so many users, and kills it. Returns the last number it said.
fn kill_after(path: &Path, users: usize) -> usize {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env(DATABASE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = 0;
    let mut next = || {
        let line = said.next()?.ok()?;
        Some(
            line.strip_prefix("acknowledged ")
                .and_then(|n| n.parse::<usize>().ok()),
        )
    };
    while let Some(number) = next() {
        last = number.unwrap_or(last);
        if last >= users {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    while let Some(number) = next() {
        last = number.unwrap_or(last);
    }
    last
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let last = kill_after(&path, 150);
    assert!(last >= 150, "the child wrote only {last}");
    conformance::run(async {
        let store = open(&path);
        let waiting = Outbox::list(&store, None, usize::MAX).await.unwrap().messages;
        for number in 0..=last {
            let user = user(number);
            let found = UserStore::find(&store, &user.key).await.unwrap();
            assert_eq!(found.as_ref(), Some(&user));
            let email = LookupKey::Email(address(number));
            let elsewhere = LookupKey::Identity(user.identities[0].key.to_text());
            for key in [email, elsewhere] {
                let found = store.find_by(&user.key.pool, &key).await;
                assert_eq!(found.unwrap().as_ref(), Some(&user), "{key:?}");
            }
            let session = SessionStore::find(&store, &token(&number.to_string())).await;
            assert_eq!(session.unwrap().is_some(), number % 3 != 0, "session {number}");
            let waits = waiting.contains(&attempted(&user));
            assert_eq!(waits, number % 3 != 0, "message {number}");
        }
    });
}

#[test]
fn everything_is_there_after_a_close_and_a_new_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    conformance::run(async {
        let user = blank(&key("Users", "1"));
        let open_session = session(&user.key, "t");
        let store = open(&path);
        store.create(&user).await.unwrap();
        store.open(&open_session).await.unwrap();
        store.close().await.unwrap();
        store.close().await.unwrap();
        let log = path.with_extension("db-wal");
        assert!(!log.exists(), "the log was folded into the file");
        let again = open(&path);
        assert_eq!(UserStore::find(&again, &user.key).await.unwrap(), Some(user));
        let found = SessionStore::find(&again, &open_session.token).await;
        assert_eq!(found.unwrap(), Some(open_session));
    });
}

#[test]
fn a_closed_store_says_so() {
    let directory = tempfile::tempdir().unwrap();
    conformance::run(async {
        let store = open(&directory.path().join("a.db"));
        store.ready().await.unwrap();
        store.close().await.unwrap();
        let user = blank(&key("Users", "1"));
        let answers = [
            store.ready().await,
            store.create(&user).await,
            UserStore::find(&store, &user.key).await.map(drop),
        ];
        for answer in answers {
            assert!(
                matches!(answer, Err(PortError::Unavailable { retry: false, .. })),
                "{answer:?}"
            );
        }
    });
}
