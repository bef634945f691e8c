//! Schema versions, databases that are none of ours, and databases that are not there.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod place;

use std::sync::Arc;
use std::time::{Duration, Instant};

use conformance::race;
use conformance::sample::{event, full_user, key, with_email};
use domain::audit::{AuditKind, AuditQuery};
use domain::ports::{AuditLog, PortError, UserStore};
use place::{Database, run};
use servers::Postgres;
use sqlx::{Connection as _, PgConnection};
use storage_postgres::{Migrated, OpenError, PostgresConfig, PostgresStore, migrate};

async fn refusal(config: &PostgresConfig) -> OpenError {
    PostgresStore::open(config).await.err().unwrap()
}

#[test]
fn a_new_database_gets_the_newest_schema_and_a_second_run_changes_nothing() {
    conformance::run(async {
        let database = Database::fresh().await;
        let Migrated { from, to } = migrate(&database.config()).await.unwrap();
        assert_eq!(from, 0);
        assert!(to >= 1);
        let again = migrate(&database.config()).await.unwrap();
        assert_eq!(again, Migrated { from: to, to });
        drop(PostgresStore::open(&database.config()).await.unwrap());
        let again = migrate(&database.config()).await.unwrap();
        assert_eq!(again, Migrated { from: to, to });
    });
}

#[test]
fn twenty_nodes_start_at_once_on_an_empty_database() {
    conformance::run(async {
        let database = Database::fresh().await;
        let config = database.config();
        let answers = race(20, move |number| {
            let config = config.clone();
            async move {
                let store = PostgresStore::open(&config).await.unwrap();
                let name = number.to_string();
                let user = with_email(&name, &format!("ann{name}@example.com"));
                let created = store.create(&user).await;
                store.close().await.unwrap();
                created
            }
        })
        .await;
        for answer in answers {
            answer.unwrap();
        }
        let store = PostgresStore::open(&database.config()).await.unwrap();
        let users = UserStore::list(&store, &key("Users", "").pool, None, 99)
            .await
            .unwrap();
        assert_eq!(users.len(), 20);
    });
}

#[test]
fn an_older_server_works_beside_a_newer_schema_and_its_data_survives() {
    conformance::run(async {
        let database = Database::fresh().await;
        let store = PostgresStore::open(&database.config()).await.unwrap();
        let ann = full_user(&key("Users", "ann"));
        store.create(&ann).await.unwrap();
        run(&database.url(), "ALTER TABLE users ADD COLUMN colour text NOT NULL DEFAULT 'red';
                 CREATE INDEX users_colour ON users (colour);
                 INSERT INTO portcullis_migrations (version, name, checksum, oldest) VALUES (9, 'colours', '', 1);",
            )
            .await;
        // The node that runs, and one that starts.
        let started = PostgresStore::open(&database.config()).await.unwrap();
        for (number, store) in (0..).zip([&store, &started]) {
            assert_eq!(UserStore::find(store, &ann.key).await.unwrap(), Some(ann.clone()));
            let name = format!("bob{number}");
            let bob = with_email(&name, &format!("{name}@example.com"));
            store.create(&bob).await.unwrap();
        }
        run(
            &database.url(),
            "UPDATE portcullis_migrations SET oldest = 9 WHERE version = 9",
        )
        .await;
        let refused = refusal(&database.config()).await;
        assert!(matches!(refused, OpenError::NewerSchema { .. }), "{refused}");
        assert!(refused.to_string().contains("schema version 9"), "{refused}");
    });
}

/// Written by a node from before there were columns to look for.
#[test]
fn events_of_older_nodes_are_sorted_in_and_forget_addresses() {
    conformance::run(async {
        let database = Database::fresh().await;
        let store = PostgresStore::open(&database.config()).await.unwrap();
        let newest = event(AuditKind::LoggedIn, "Zoë");
        let write = "INSERT INTO audit (at, record) SELECT number, '{\"at\":' || number || ',\"kind\":\"user.changed\",\
            \"pool\":\"Users\",\"user\":\"Zoë\",\"address\":\"192.0.2.7\",\"detail\":\"a \\\"b\\u0000\"}' \
            FROM generate_series(1, 1200) AS number; INSERT INTO audit (at, record) VALUES (7, 'damaged');";
        run(&database.url(), write).await;
        store.append(&newest).await.unwrap();
        let query = AuditQuery {
            user: newest.user.clone(),
            ..AuditQuery::default()
        };
        let page = AuditLog::find(&store, &query, None, 9_999).await.unwrap();
        assert_eq!((page.events.len(), page.next), (1201, None));
        assert_eq!(page.events[0], newest);
        assert_eq!(page.events[1].at.as_millis(), 1200);
        assert_eq!(page.events[1].detail.as_deref(), Some("a \"b\0"));
        let mut connection = PgConnection::connect(&database.url()).await.unwrap();
        let addresses = "SELECT count(*) FROM audit WHERE record LIKE '%192.0.2.7%' OR kind IS NULL";
        let left: i64 = sqlx::query_scalar(addresses)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(left, 0);
        let said = AuditLog::find(&store, &AuditQuery::default(), None, 9).await;
        assert!(
            matches!(said, Err(PortError::Corrupt { .. })),
            "the damaged one is named: {said:?}"
        );
    });
}

#[test]
fn a_database_of_something_else_is_refused_and_a_schema_of_its_own_helps() {
    conformance::run(async {
        let database = Database::fresh().await;
        run(
            &database.url(),
            "CREATE TABLE users (x integer); CREATE SCHEMA login;",
        )
        .await;
        let refused = refusal(&database.config()).await;
        assert!(
            matches!(&refused, OpenError::Foreign { table } if table == "users"),
            "{refused}"
        );
        let beside = PostgresConfig::new(format!("{}?options[search_path]=login", database.url()));
        let store = PostgresStore::open(&beside).await.unwrap();
        store.create(&with_email("ann", "ann@example.com")).await.unwrap();
        let nowhere = PostgresConfig::new(format!("{}?options[search_path]=nowhere", database.url()));
        let refused = refusal(&nowhere).await;
        assert!(refused.to_string().contains("no schema"), "{refused}");
    });
}

#[test]
fn a_database_that_does_not_keep_utf8_is_refused() {
    conformance::run(async {
        let latin = "ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'";
        let database = Database::with(latin).await;
        let refused = refusal(&database.config()).await;
        assert!(matches!(refused, OpenError::Encoding { .. }), "{refused}");
    });
}

#[test]
fn a_database_that_does_not_exist_is_said_at_once() {
    conformance::run(async {
        let database = Database::fresh().await;
        let missing = PostgresConfig::new(format!("{}_missing", database.url()));
        let began = Instant::now();
        let refused = refusal(&missing).await;
        assert!(matches!(refused, OpenError::Refused { .. }), "{refused}");
        assert!(refused.to_string().contains("does not exist"), "{refused}");
        assert!(began.elapsed() < Duration::from_secs(5));
    });
}

#[test]
fn a_server_that_never_comes_is_named_without_the_password() {
    conformance::run(async {
        let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = nobody.local_addr().unwrap();
        drop(nobody);
        let mut config = PostgresConfig::new(format!("postgres://ann:hunter2@{address}/login"));
        config.patience = Duration::from_secs(1);
        let refused = refusal(&config).await;
        let said = format!("{refused} {refused:?}");
        assert!(matches!(refused, OpenError::Unreachable { .. }), "{said}");
        assert!(said.contains(&address.to_string()), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    });
}

#[test]
fn a_start_waits_for_a_database_that_is_not_there_yet() {
    conformance::run(async {
        let server = tokio::task::spawn_blocking(|| {
            let mut server = Postgres::start();
            let name = server.create_database();
            server.stop();
            (server, name)
        });
        let (mut server, name) = server.await.unwrap();
        let config = PostgresConfig::new(server.url(&name));
        let opening = tokio::spawn(async move { PostgresStore::open(&config).await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!opening.is_finished());
        let server = tokio::task::spawn_blocking(move || {
            server.restart();
            server
        });
        let server = server.await.unwrap();
        let store = opening.await.unwrap().unwrap();
        store.ready().await.unwrap();
        drop((store, server));
    });
}

#[test]
fn a_closed_store_says_so() {
    conformance::run(async {
        let database = Database::fresh().await;
        let store = Arc::new(PostgresStore::open(&database.config()).await.unwrap());
        store.ready().await.unwrap();
        store.close().await.unwrap();
        let said = store.ready().await;
        assert!(matches!(said, Err(PortError::Unavailable { .. })), "{said:?}");
        store.close().await.unwrap();
    });
}
