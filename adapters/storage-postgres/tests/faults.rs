//! What the ports say when rows are damaged, names are odd, or there is too much to do.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod place;

use std::sync::Arc;
use std::time::{Duration, Instant};

use conformance::race;
use conformance::sample::{
    at, blank, event, flow, flow_of_nobody, full_application, full_user, identity, key, linked, session,
    with_email,
};
use domain::audit::{AuditKind, AuditQuery};
use domain::flow_record::FlowKind;
use domain::id::{ApplicationId, UserId, UserKey};
use domain::limits::{LimitKey, Quota, Verdict};
use domain::ports::{
    ApplicationStore, AuditLog, FlowStore, LookupKey, PageMark, PortError, RateLimiter, SessionStore,
    UniqueKey, UserStore,
};
use domain::time::Lifetime;
use domain::user::{User, Username};
use place::{Database, run};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use storage_postgres::PostgresStore;

async fn open() -> (Arc<PostgresStore>, Database) {
    let database = Database::fresh().await;
    let store = PostgresStore::open(&database.config()).await.unwrap();
    (Arc::new(store), database)
}

/// Keeps everybody from a table until the answer is dropped.
async fn lock(database: &Database, table: &str) -> PgConnection {
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let statement = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    statement.execute(&mut connection).await.unwrap();
    connection
}

fn is_corrupt<T>(answer: Result<T, PortError>, named: &str) -> bool {
    match answer {
        Err(PortError::Corrupt { what }) => what.contains(named) && !what.contains("secret"),
        _ => false,
    }
}

#[test]
fn a_damaged_row_is_named_without_its_content() {
    conformance::run(async {
        let (store, database) = open().await;
        let user = full_user(&key("Users", "u-1"));
        store.create(&user).await.unwrap();
        let open = session(&user.key, "t");
        store.open(&open).await.unwrap();
        let reset = flow(&user.key, FlowKind::ResetPassword, "t");
        store.put(&reset).await.unwrap();
        let nobodys = flow_of_nobody("Users", FlowKind::Authorization, "n");
        store.put(&nobodys).await.unwrap();
        let shop = full_application("a-1");
        store.create_application(&shop).await.unwrap();
        store.append(&event(AuditKind::LoggedIn, "u-1")).await.unwrap();
        for damage in ["secret", "{\"secret\":1}", "[1]", ""] {
            for table in ["users", "sessions", "flows", "applications", "audit"] {
                run(
                    &database.url(),
                    &format!("UPDATE {table} SET record = '{damage}'"),
                )
                .await;
            }
            assert!(is_corrupt(UserStore::find(&*store, &user.key).await, "Users/u-1"));
            let page = UserStore::list(&*store, &user.key.pool, None, 9).await;
            assert!(is_corrupt(page, "Users/u-1"));
            assert!(is_corrupt(
                SessionStore::find(&*store, &open.token).await,
                "Users/u-1"
            ));
            assert!(is_corrupt(FlowStore::find(&*store, &reset.id).await, "Users/u-1"));
            assert!(is_corrupt(
                FlowStore::find(&*store, &nobodys.id).await,
                "Users/nobody yet"
            ));
            assert!(is_corrupt(
                store.find_application(&shop.id).await,
                "application a-1"
            ));
            assert!(is_corrupt(
                AuditLog::find(&*store, &AuditQuery::default(), None, 9).await,
                "audit event 1"
            ));
        }
        let mark = PageMark("secret".to_owned());
        assert!(is_corrupt(
            SessionStore::list(&*store, None, Some(&mark), 9).await,
            "mark"
        ));
    });
}

#[test]
fn names_with_a_zero_byte_are_only_names_that_nobody_has() {
    conformance::run(async {
        let (store, _database) = open().await;
        let nobody = key("Users", "a\0b");
        let pool = &nobody.pool;
        assert_eq!(UserStore::find(&*store, &nobody).await.unwrap(), None);
        for by in [LookupKey::Email, LookupKey::Username, LookupKey::Identity] {
            assert_eq!(store.find_by(pool, &by("a\0b".to_owned())).await.unwrap(), None);
        }
        assert!(
            UserStore::list(&*store, pool, Some(&nobody.id), 9)
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(SessionStore::end_all(&*store, &nobody, None).await.unwrap(), 0);
        assert!(
            FlowStore::list(&*store, &nobody, FlowKind::ConfirmPhone)
                .await
                .unwrap()
                .is_empty()
        );
        let id = ApplicationId::new("a\0b");
        assert_eq!(store.find_application(&id).await.unwrap(), None);
        let user = blank(&nobody);
        store.create(&user).await.unwrap();
        assert_eq!(UserStore::find(&*store, &nobody).await.unwrap(), Some(user));
    });
}

#[test]
fn names_longer_than_an_index_holds_are_kept_and_unique() {
    conformance::run(async {
        let (store, _database) = open().await;
        // Nothing that compresses.
        let long = |seed: u64| -> String {
            let mut state = seed;
            let letters = (0..4_000).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap())
            });
            letters.collect()
        };
        let named = |id: &str, name: &str| User {
            username: Some(Username::restore(name, name)),
            ..blank(&key("Users", id))
        };
        let ann = named("ann", &long(1));
        store.create(&ann).await.unwrap();
        let again = store.create(&named("bob", &long(1))).await;
        assert!(
            matches!(again, Err(PortError::Duplicate(UniqueKey::Username))),
            "{again:?}"
        );
        let by_name = LookupKey::Username(ann.username_key().unwrap());
        assert_eq!(store.find_by(&ann.key.pool, &by_name).await.unwrap(), Some(ann));
        let subject: String = long(2).chars().take(1_000).collect();
        let elsewhere = identity("google", &subject);
        let by_identity = LookupKey::Identity(elsewhere.key.to_text());
        let cem = linked("cem", vec![elsewhere]);
        store.create(&cem).await.unwrap();
        assert_eq!(
            store.find_by(&cem.key.pool, &by_identity).await.unwrap(),
            Some(cem)
        );
    });
}

#[test]
fn with_every_connection_taken_further_calls_are_told_so_in_time() {
    conformance::run(async {
        let database = Database::fresh().await;
        let mut config = database.config();
        config.max_connections = 2;
        config.queue = 4;
        let store = Arc::new(PostgresStore::open(&config).await.unwrap());
        let lock = lock(&database, "users").await;
        let began = Instant::now();
        let asked = Arc::clone(&store);
        let answers = race(20, move |number| {
            let store = Arc::clone(&asked);
            let user = with_email(&number.to_string(), &format!("ann{number}@example.com"));
            async move { (store.create(&user).await, Instant::now()) }
        })
        .await;
        assert!(
            began.elapsed() < Duration::from_millis(3_300),
            "{:?}",
            began.elapsed()
        );
        let at_once = answers.iter().filter(|(answer, when)| {
            matches!(answer, Err(PortError::Busy { .. }))
                && when.duration_since(began) < Duration::from_secs(1)
        });
        assert!(at_once.count() >= 14, "those without a place in line");
        assert!(answers.iter().all(|(answer, _)| answer.is_err()));
        drop(lock);
        let healed = Instant::now();
        while UserStore::find(&*store, &key("Users", "1")).await.is_err() {
            assert!(healed.elapsed() < Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

#[test]
fn a_locked_table_holds_up_only_who_needs_it_and_only_so_long() {
    conformance::run(async {
        let (store, database) = open().await;
        store.create(&with_email("ann", "ann@example.com")).await.unwrap();
        let lock = lock(&database, "flows").await;
        let began = Instant::now();
        let held_up = Arc::clone(&store);
        let held_up = tokio::spawn(async move {
            let nobodys = flow_of_nobody("Users", FlowKind::Authorization, "n");
            held_up.put(&nobodys).await
        });
        while !held_up.is_finished() {
            let began = Instant::now();
            assert!(
                UserStore::find(&*store, &key("Users", "ann"))
                    .await
                    .unwrap()
                    .is_some()
            );
            assert!(began.elapsed() < Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let answer = held_up.await.unwrap();
        assert!(
            matches!(answer, Err(PortError::Unavailable { retry: true, .. })),
            "{answer:?}"
        );
        assert!(began.elapsed() < Duration::from_secs(3));
        drop(lock);
        let taken = FlowStore::take(&*store, &flow_of_nobody("Users", FlowKind::Authorization, "n").id).await;
        assert_eq!(
            taken.unwrap(),
            None,
            "what was said to have failed did not happen"
        );
    });
}

#[test]
fn a_call_that_is_dropped_leaves_all_or_nothing_and_the_store_sound() {
    conformance::run(async {
        let database = Database::fresh().await;
        let mut config = database.config();
        config.max_connections = 3;
        let store = Arc::new(PostgresStore::open(&config).await.unwrap());
        for number in 0..300_u64 {
            let name = number.to_string();
            let user = User {
                identities: Arc::new(vec![identity("google", &name)]),
                ..with_email(&name, &format!("ann{name}@example.com"))
            };
            let patience = Duration::from_micros(number * 7);
            let dropped = tokio::time::timeout(patience, store.create(&user)).await;
            if dropped.is_ok() {
                continue;
            }
            // In the middle of a transaction, too.
            let _whatever = tokio::time::timeout(patience, store.take_tries(&name)).await;
        }
        for _ in 0..50 {
            store.ready().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        for number in 0..300_u64 {
            let name = number.to_string();
            let user = UserStore::find(&*store, &key("Users", &name)).await.unwrap();
            let by_identity = LookupKey::Identity(identity("google", &name).key.to_text());
            let linked = store.find_by(&key("Users", "").pool, &by_identity).await.unwrap();
            assert_eq!(user, linked, "all or nothing");
        }
    });
}

/// Shorthands of these tests.
trait Tries {
    async fn take_tries(&self, whom: &str) -> Result<Verdict, PortError>;
}

const QUOTA: Quota = Quota::Rate {
    burst: 1_000_000,
    per: Lifetime::from_secs(1_000),
};

impl Tries for PostgresStore {
    async fn take_tries(&self, whom: &str) -> Result<Verdict, PortError> {
        let asked = [
            (LimitKey::new("login", &[whom]), QUOTA),
            (LimitKey::new("login", &["all"]), QUOTA),
        ];
        RateLimiter::take(self, &asked, at(0)).await
    }
}

#[test]
fn racing_tries_at_the_same_counters_in_any_order_wait_for_each_other_and_never_for_ever() {
    conformance::run(async {
        let (here, database) = open().await;
        let there = Arc::new(PostgresStore::open(&database.config()).await.unwrap());
        let answers = race(120, move |number| {
            let store = Arc::clone(if number % 2 == 0 { &here } else { &there });
            let mut asked: Vec<_> = (0..5)
                .map(|counter| {
                    (
                        LimitKey::new("login", &[&((number + counter) % 7).to_string()]),
                        QUOTA,
                    )
                })
                .collect();
            if number % 3 == 0 {
                asked.reverse();
            }
            async move {
                let taken = RateLimiter::take(&*store, &asked, at(0)).await;
                let given = store.give_back(&asked, at(0)).await;
                (taken, given)
            }
        })
        .await;
        for (taken, given) in answers {
            assert_eq!(taken.unwrap(), Verdict::Allowed);
            given.unwrap();
        }
    });
}

#[test]
fn connections_the_server_ended_are_never_handed_out_twice() {
    conformance::run(async {
        let (store, database) = open().await;
        store.create(&with_email("ann", "ann@example.com")).await.unwrap();
        let ann = key("Users", "ann");
        for _ in 0..5 {
            // Some connections rest.
            let asked = Arc::clone(&store);
            race(12, move |_| {
                let store = Arc::clone(&asked);
                async move { UserStore::find(&*store, &key("Users", "ann")).await.unwrap() }
            })
            .await;
            run(&database.url(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'portcullis' AND datname = current_database()")
                .await;
            for _ in 0..20 {
                assert!(
                    UserStore::find(&*store, &ann).await.unwrap().is_some(),
                    "a read is asked again"
                );
            }
        }
    });
}

#[test]
fn an_error_never_shows_what_a_row_holds() {
    conformance::run(async {
        let (store, database) = open().await;
        run(
            &database.url(),
            "ALTER TABLE users ADD CONSTRAINT short CHECK (length(record) < 10)",
        )
        .await;
        let user = UserKey {
            id: UserId::new("hidden-id"),
            ..key("Users", "")
        };
        let refused = store.create(&full_user(&user)).await.unwrap_err();
        let said = format!("{refused} {refused:?}");
        assert!(said.contains("23514") && said.contains("short"), "{said}");
        assert!(!said.contains("hidden-id") && !said.contains("argon2"), "{said}");
    });
}
