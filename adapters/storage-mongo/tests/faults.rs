//! What the ports say when documents are damaged, there is too much to do, or the store is closed.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Database, behind};
use conformance::race;
use conformance::sample::{at, event, flow, full_application, full_user, key, session, token, with_email};
use domain::audit::{AuditKind, AuditQuery};
use domain::flow_record::FlowKind;
use domain::limits::{LimitKey, Quota, Tries, Verdict};
use domain::ports::{
    ApplicationStore, AuditLog, FlowStore, PortError, RateLimiter, SessionStore, UniqueKey, UserStore,
};
use domain::time::Lifetime;
use domain::user::Revision;
use mongodb::bson::{Document, doc};
use storage_mongo::MongoStore;

/// Collections whose documents hold a stored form that is read back.
const RECORDS: [&str; 5] = ["users", "sessions", "flows", "applications", "audit"];

fn is_corrupt<T>(answer: Result<T, PortError>, named: &str) -> bool {
    match answer {
        Err(PortError::Corrupt { what }) => what.contains(named) && !what.contains("secret"),
        _ => false,
    }
}

#[test]
fn a_damaged_record_is_named_without_its_content() {
    conformance::run(async {
        let database = Database::fresh();
        let store = MongoStore::open(&database.config()).await.unwrap();
        let user = full_user(&key("Users", "u-1"));
        let (open, reset) = (
            session(&user.key, "t"),
            flow(&user.key, FlowKind::ResetPassword, "t"),
        );
        let shop = full_application("a-1");
        let behind = behind(&database.url(), database.name()).await;
        for (field, damage) in [
            ("record", doc! { "$set": { "record": "secret" } }),
            ("record", doc! { "$unset": { "record": 1 } }),
            (
                "pool",
                doc! { "$set": { "record.pool": 7, "record.name": ["secret"], "record.kind": "secret" } },
            ),
            (
                "created",
                doc! { "$set": { "record.created": "secret", "record.at": "secret" } },
            ),
            (
                "attributes",
                doc! { "$set": { "record.attributes": "{\"secret\"", "record.created": {} , "record.at": [] } },
            ),
        ] {
            store.create(&user).await.unwrap();
            store.open(&open).await.unwrap();
            store.put(&reset).await.unwrap();
            store.create_application(&shop).await.unwrap();
            store.append(&event(AuditKind::LoggedIn, "u-1")).await.unwrap();
            for collection in RECORDS.map(|name| behind.collection::<Document>(name)) {
                collection.update_many(doc! {}, damage.clone()).await.unwrap();
            }
            assert!(
                is_corrupt(UserStore::find(&store, &user.key).await, "Users u-1"),
                "{field}"
            );
            let page = UserStore::list(&store, &user.key.pool, None, 9).await;
            assert!(is_corrupt(page, "Users u-1"), "{field}");
            assert!(
                is_corrupt(SessionStore::find(&store, &open.token).await, "5:Users:u-1"),
                "{field}"
            );
            assert!(
                is_corrupt(FlowStore::find(&store, &reset.id).await, "5:Users:u-1"),
                "{field}"
            );
            assert!(
                is_corrupt(FlowStore::take(&store, &reset.id).await, "5:Users:u-1"),
                "{field}"
            );
            assert!(
                is_corrupt(store.find_application(&shop.id).await, "application a-1"),
                "{field}"
            );
            assert!(
                is_corrupt(
                    AuditLog::find(&store, &AuditQuery::default(), None, 9).await,
                    "audit event"
                ),
                "{field}"
            );
            for collection in RECORDS.map(|name| behind.collection::<Document>(name)) {
                collection.delete_many(doc! {}).await.unwrap();
            }
        }
    });
}

#[test]
fn a_damaged_counter_is_corrupt_and_allows_nothing() {
    conformance::run(async {
        let database = Database::fresh();
        let store = MongoStore::open(&database.config()).await.unwrap();
        let asked = [(LimitKey::new("login", &["ann"]), RATE)];
        assert_eq!(
            RateLimiter::take(&store, &asked, at(0)).await.unwrap(),
            Verdict::Allowed
        );
        let behind = behind(&database.url(), database.name()).await;
        let counters = behind.collection::<Document>("counters");
        for damage in [doc! { "mark": "secret" }, doc! { "mark": 1_i64, "count": -1_i64 }] {
            counters
                .update_many(doc! {}, doc! { "$set": damage })
                .await
                .unwrap();
            assert!(is_corrupt(
                RateLimiter::take(&store, &asked, at(0)).await,
                "counter"
            ));
        }
    });
}

const RATE: Quota = Quota::Rate {
    burst: 5,
    per: Lifetime::from_secs(50),
};
const LOCKOUT: Quota = Quota::Lockout {
    free: 3,
    wait: Lifetime::from_secs(10),
    max_wait: Lifetime::from_secs(60),
    forget: Lifetime::from_secs(600),
    pardons: true,
};

/// Two counters, of which the one that is taken first by the order of keys is never the one that denies.
#[test]
fn what_was_taken_before_a_denial_is_given_back_to_the_last_bit() {
    conformance::run(async {
        let database = Database::fresh();
        let store = Arc::new(MongoStore::open(&database.config()).await.unwrap());
        let (first, second) = (LimitKey::new("a", &["x"]), LimitKey::new("b", &["x"]));
        let tight = Quota::Rate {
            burst: 1,
            per: Lifetime::from_secs(50),
        };
        for wide in [RATE, LOCKOUT] {
            let asked = [(first.clone(), wide), (second.clone(), tight)];
            let racing = Arc::clone(&store);
            let verdicts = race(20, move |_| {
                let (store, asked) = (Arc::clone(&racing), asked.clone());
                async move { RateLimiter::take(&*store, &asked, at(0)).await.unwrap() }
            })
            .await;
            let allowed = verdicts.iter().filter(|it| **it == Verdict::Allowed).count();
            assert_eq!(allowed, 1);
            let behind = behind(&database.url(), database.name()).await;
            let counters = behind.collection::<Document>("counters");
            let left = counters
                .find_one(doc! { "_id": first.as_str() })
                .await
                .unwrap()
                .unwrap();
            let (once, _) = wide.take(Tries::default(), at(0));
            assert_eq!(left.get_i64("count").unwrap(), i64::from(once.count));
            assert_eq!(left.get_i64("mark").unwrap(), once.mark);
            counters.delete_many(doc! {}).await.unwrap();
        }
    });
}

#[test]
fn of_five_hundred_racing_writes_each_hears_its_own_fate() {
    conformance::run(async {
        let database = Database::fresh();
        let store = Arc::new(MongoStore::open(&database.config()).await.unwrap());
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

#[test]
fn a_full_queue_refuses_at_once_and_what_it_took_is_done() {
    conformance::run(async {
        let database = Database::fresh();
        let mut config = database.config();
        (config.max_connections, config.queue) = (1, 2);
        let store = Arc::new(MongoStore::open(&config).await.unwrap());
        let racing = Arc::clone(&store);
        let answers = race(60, move |number| {
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
        let fates = |answer: &Result<(), PortError>| matches!(answer, Ok(()) | Err(PortError::Busy { .. }));
        assert!(answers.iter().all(fates));
        assert!(done < 60, "somebody was refused");
    });
}

#[test]
fn a_closed_store_refuses_and_what_was_under_way_is_done() {
    conformance::run(async {
        let database = Database::fresh();
        let store = Arc::new(MongoStore::open(&database.config()).await.unwrap());
        let creating: Vec<_> = (0..20)
            .map(|number| {
                let (store, user) = (
                    Arc::clone(&store),
                    with_email(&number.to_string(), &format!("a{number}@b.example")),
                );
                tokio::spawn(async move { store.create(&user).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(5)).await;
        store.close().await;
        let late = store.create(&with_email("late", "late@b.example")).await;
        assert!(
            matches!(late, Err(PortError::Unavailable { retry: false, .. })),
            "{late:?}"
        );
        let mut done = 0;
        for answer in creating {
            done += usize::from(answer.await.unwrap().is_ok());
        }
        let again = MongoStore::open(&database.config()).await.unwrap();
        let users = UserStore::list(&again, &key("Users", "").pool, None, 99)
            .await
            .unwrap();
        assert_eq!(users.len(), done);
    });
}

/// Another node is a second store: it has no part in what this one remembers.
#[test]
fn another_nodes_change_is_seen_once_the_memory_is_too_old() {
    conformance::run(async {
        let database = Database::fresh();
        let here = MongoStore::open(&database.config()).await.unwrap();
        let there = MongoStore::open(&database.config()).await.unwrap();
        let ann = with_email("ann", "ann@example.com");
        here.create(&ann).await.unwrap();
        let recent = Lifetime::from_millis(200);
        assert_eq!(
            here.find_recent(&ann.key, recent).await.unwrap().as_ref(),
            Some(&ann)
        );
        let next = ann.changed(at(1));
        there.commit(&next, ann.revision).await.unwrap();
        assert_eq!(
            here.find_recent(&ann.key, Lifetime::ZERO).await.unwrap().as_ref(),
            Some(&next)
        );
        let last = next.changed(at(2));
        here.commit(&last, next.revision).await.unwrap();
        let long = Lifetime::from_secs(9);
        assert_eq!(
            here.find_recent(&ann.key, long).await.unwrap().as_ref(),
            Some(&last),
            "one's own is seen at once"
        );
        there.delete(&ann.key, last.revision).await.unwrap();
        tokio::time::sleep(Duration::from_millis(201)).await;
        assert_eq!(here.find_recent(&ann.key, recent).await.unwrap(), None);
    });
}

#[test]
fn an_end_at_one_node_is_an_end_at_the_other() {
    conformance::run(async {
        let database = Database::fresh();
        let here = MongoStore::open(&database.config()).await.unwrap();
        let there = MongoStore::open(&database.config()).await.unwrap();
        let ann = with_email("ann", "ann@example.com");
        here.create(&ann).await.unwrap();
        here.open(&session(&ann.key, "a")).await.unwrap();
        assert!(SessionStore::find(&there, &token("a")).await.unwrap().is_some());
        assert!(there.end(&token("a")).await.unwrap());
        assert_eq!(SessionStore::find(&here, &token("a")).await.unwrap(), None);
        assert!(!here.end(&token("a")).await.unwrap());
    });
}

#[test]
fn a_lost_update_needs_the_revision_to_be_right_in_every_bit() {
    conformance::run(async {
        let database = Database::fresh();
        let store = MongoStore::open(&database.config()).await.unwrap();
        let mut ann = with_email("ann", "ann@example.com");
        ann.revision = Revision::new(1 << 63);
        store.create(&ann).await.unwrap();
        for near in [0, 1, (1 << 63) + 1, (1 << 63) - 1, u64::MAX] {
            let stale = store.commit(&ann, Revision::new(near)).await;
            assert!(matches!(stale, Err(PortError::Stale)), "{near}: {stale:?}");
        }
        store.commit(&ann, ann.revision).await.unwrap();
    });
}
