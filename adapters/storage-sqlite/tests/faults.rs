//! What the ports say when rows are damaged or there is too much to do.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::sync::Arc;

use conformance::race;
use conformance::sample::{
    event, flow, flow_of_nobody, full_application, full_user, key, message, session, token, with_email,
};
use domain::audit::{AuditKind, AuditQuery};
use domain::flow_record::FlowKind;
use domain::id::ApplicationId;
use domain::ports::{
    ApplicationStore, AuditLog, FlowStore, Outbox, PortError, SessionStore, UniqueKey, UserStore,
};
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
        FlowStore::put(&store, &reset).await.unwrap();
        let event = event(AuditKind::LoggedIn, "u-1");
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
        assert!(is_corrupt(
            AuditLog::find(&store, &AuditQuery::default(), None, 9).await,
            "audit event 1"
        ));
    });
}

/// What no list and no word of ours looks like.
const NO_LIST: [&str; 5] = ["secret", "{\"secret\":1}", "[1]", "[", ""];
/// What no object of ours looks like.
const NO_OBJECT: [&str; 5] = ["secret", "{\"secret\":", "7", "[", ""];

/// One record of each kind.
async fn fill(store: &SqliteStore) {
    let user = full_user(&key("Users", "u-1"));
    store.create(&user).await.unwrap();
    store.open(&session(&user.key, "t")).await.unwrap();
    store.create_application(&full_application("a-1")).await.unwrap();
    let nobodys = flow_of_nobody("Users", FlowKind::Authorization, "t");
    FlowStore::put(store, &nobodys).await.unwrap();
    store.append(&event(AuditKind::LoggedIn, "u-1")).await.unwrap();
    Outbox::put(store, &message(&user.key, "m-1")).await.unwrap();
}

/// What is said when each of them is asked for.
async fn ask(store: &SqliteStore) -> Vec<PortError> {
    let answers = [
        UserStore::find(store, &key("Users", "u-1")).await.map(drop),
        SessionStore::find(store, &token("t")).await.map(drop),
        store.find_application(&ApplicationId::new("a-1")).await.map(drop),
        FlowStore::find(store, &token("t")).await.map(drop),
        AuditLog::find(store, &AuditQuery::default(), None, 9)
            .await
            .map(drop),
        Outbox::list(store, None, 9).await.map(drop),
    ];
    answers.into_iter().filter_map(Result::err).collect()
}

#[test]
fn a_damaged_list_or_object_is_named_without_its_content() {
    for (table, column, named, damages) in [
        ("users", "identities", "Users/u-1", NO_LIST),
        ("users", "credentials", "Users/u-1", NO_LIST),
        ("users", "factors", "Users/u-1", NO_OBJECT),
        ("users", "devices", "Users/u-1", NO_LIST),
        ("sessions", "factors", "Users/u-1", NO_LIST),
        ("sessions", "more", "Users/u-1", NO_OBJECT),
        ("applications", "keys", "application a-1", NO_LIST),
        ("applications", "credentials", "application a-1", NO_LIST),
        ("flows", "body", "authorization of Users/nobody yet", NO_LIST),
        ("audit", "kind", "audit event 1", NO_LIST),
        ("audit", "actor", "audit event 1", NO_LIST),
        ("outbox", "channel", "message m-1", NO_LIST),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        conformance::run(async {
            let store = open(&path);
            fill(&store).await;
            assert!(ask(&store).await.is_empty());
            store.close().await.unwrap();
            let outside = Connection::open(&path).unwrap();
            for damage in damages {
                let sql = format!("UPDATE {table} SET {column} = ?1");
                outside.execute(&sql, [damage]).unwrap();
                let said = ask(&open(&path)).await;
                assert_eq!(said.len(), 1, "{table}.{column} = {damage:?}: {said:?}");
                for error in said {
                    assert!(
                        is_corrupt::<()>(Err(error), named),
                        "{table}.{column} = {damage:?}"
                    );
                }
            }
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
