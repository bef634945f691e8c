//! What the ports say when rows are damaged or there is too much to do.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::sync::Arc;

use conformance::race;
use conformance::sample::{at, flow, flow_of_nobody, full_application, full_user, key, session, with_email};
use domain::audit::{AuditEvent, AuditKind};
use domain::flow_record::FlowKind;
use domain::ports::{ApplicationStore, AuditLog, FlowStore, PortError, SessionStore, UniqueKey, UserStore};
use rusqlite::Connection;
use storage_sqlite::{SqliteConfig, SqliteStore};

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(&SqliteConfig::new(path)).unwrap()
}

fn is_corrupt<T>(answer: Result<T, PortError>, named: &str) -> bool {
    match answer {
        Err(PortError::Corrupt { what }) => what.contains(named) && !what.contains("secret"),
        _ => false,
    }
}

#[test]
fn a_damaged_row_is_named_without_its_content() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    conformance::run(async {
        let user = full_user(&key("Users", "u-1"));
        let store = open(&path);
        store.create(&user).await.unwrap();
        store.open(&session(&user.key, "t")).await.unwrap();
        let reset = flow(&user.key, FlowKind::ResetPassword, "t");
        store.put(&reset).await.unwrap();
        let event = AuditEvent {
            at: at(0),
            kind: AuditKind::LoggedIn,
            user: None,
            address: None,
            detail: None,
        };
        store.append(&event).await.unwrap();
        store.close().await.unwrap();
        let outside = Connection::open(&path).unwrap();
        outside
            .execute_batch(
                "UPDATE users SET attributes = 'secret'; UPDATE sessions SET factors = '[\"secret\"]';
                 UPDATE flows SET body = 'secret'; UPDATE audit SET kind = 'secret';",
            )
            .unwrap();
        outside.close().unwrap();
        let store = open(&path);
        let token = session(&user.key, "t").token;
        assert!(is_corrupt(UserStore::find(&store, &user.key).await, "Users/u-1"));
        assert!(is_corrupt(
            UserStore::list(&store, &user.key.pool, None, 9).await,
            "Users/u-1"
        ));
        assert!(is_corrupt(SessionStore::find(&store, &token).await, "Users/u-1"));
        assert!(is_corrupt(FlowStore::find(&store, &reset.id).await, "Users/u-1"));
        assert!(is_corrupt(store.take(&reset.id).await, "Users/u-1"));
        assert!(is_corrupt(store.latest(9).await, "audit event 1"));
    });
}

#[test]
fn a_damaged_list_is_named_without_its_content() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    for (table, column, named) in [
        ("users", "identities", "Users/u-1"),
        ("users", "credentials", "Users/u-1"),
        ("applications", "keys", "application a-1"),
        ("applications", "credentials", "application a-1"),
        ("flows", "body", "authorization of Users/nobody yet"),
    ] {
        let user = full_user(&key("Users", "u-1"));
        let (shop, nobodys) = (
            full_application("a-1"),
            flow_of_nobody("Users", FlowKind::Authorization, "t"),
        );
        conformance::run(async {
            let store = open(&path);
            store.create(&user).await.unwrap();
            store.create_application(&shop).await.unwrap();
            store.put(&nobodys).await.unwrap();
            store.close().await.unwrap();
            let outside = Connection::open(&path).unwrap();
            for damage in ["secret", "{\"secret\":1}", "[1]", "[", ""] {
                let sql = format!("UPDATE {table} SET {column} = ?1");
                outside.execute(&sql, [damage]).unwrap();
                let store = open(&path);
                let answers = [
                    UserStore::find(&store, &user.key).await.map(drop),
                    store.find_application(&shop.id).await.map(drop),
                    FlowStore::find(&store, &nobodys.id).await.map(drop),
                ];
                let corrupt: Vec<_> = answers.into_iter().filter(Result::is_err).collect();
                assert_eq!(corrupt.len(), 1, "{table}.{column}: {corrupt:?}");
                for answer in corrupt {
                    assert!(is_corrupt(answer, named), "{table}.{column} = {damage:?}");
                }
            }
            outside
                .execute_batch("DELETE FROM users; DELETE FROM applications; DELETE FROM flows;")
                .unwrap();
        });
    }
}

#[test]
fn a_full_queue_refuses_at_once_and_what_it_took_is_done() {
    let directory = tempfile::tempdir().unwrap();
    conformance::run(async {
        let mut config = SqliteConfig::new(directory.path().join("a.db"));
        config.queue = 2;
        let store = Arc::new(SqliteStore::open(&config).unwrap());
        let racing = Arc::clone(&store);
        let answers = race(100, move |number| {
            let store = Arc::clone(&racing);
            let user = with_email(&number.to_string(), &format!("ann{number}@example.com"));
            async move { store.create(&user).await }
        })
        .await;
        let users = UserStore::list(&*store, &key("Users", "").pool, None, 999)
            .await
            .unwrap();
        let done = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(users.len(), done);
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Ok(()) | Err(PortError::Busy { .. })))
        );
    });
}

#[test]
fn of_five_hundred_racing_writes_each_hears_its_own_fate() {
    let directory = tempfile::tempdir().unwrap();
    conformance::run(async {
        let store = Arc::new(open(&directory.path().join("a.db")));
        let racing = Arc::clone(&store);
        let answers = race(500, move |number| {
            let store = Arc::clone(&racing);
            // Every address is asked for twice.
            let user = with_email(&number.to_string(), &format!("ann{}@example.com", number % 250));
            async move { store.create(&user).await }
        })
        .await;
        let stored = UserStore::list(&*store, &key("Users", "").pool, None, 999)
            .await
            .unwrap();
        assert_eq!(stored.len(), 250);
        for (number, answer) in answers.iter().enumerate() {
            let is_stored = stored
                .iter()
                .any(|user| user.key.id.as_str() == number.to_string());
            match answer {
                Ok(()) => assert!(is_stored, "{number} was acknowledged"),
                Err(PortError::Duplicate(UniqueKey::Email)) => assert!(!is_stored, "{number} was refused"),
                Err(other) => panic!("{number}: {other:?}"),
            }
        }
    });
}
