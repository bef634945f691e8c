//! Steps that were never released, on a real server.

use super::*;
use sqlx::AssertSqlSafe;

const FIRST: Migration = Migration {
    name: "first",
    kind: Kind::Expand,
    sql: "CREATE TABLE users (x integer); INSERT INTO users SELECT generate_series(1, 1000);",
};
const SECOND: Migration = Migration {
    name: "second",
    kind: Kind::Expand,
    sql: "ALTER TABLE users ADD COLUMN y integer; CREATE TABLE sessions (z integer);",
};
const BESIDE: Migration = Migration {
    name: "beside",
    kind: Kind::ExpandBesideTraffic,
    sql: "DROP INDEX CONCURRENTLY IF EXISTS users_x; CREATE INDEX CONCURRENTLY users_x ON users (x);",
};
const TAKES_AWAY: Migration = Migration {
    name: "takes away",
    kind: Kind::Contract { oldest: 3 },
    sql: "ALTER TABLE users DROP COLUMN x;",
};

struct Database {
    server: String,
    name: String,
}

impl Database {
    async fn fresh() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static MADE: AtomicU32 = AtomicU32::new(0);
        let server = servers::env("POSTGRES_URL", "storage-postgres");
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("pc_step_{}_{number}", std::process::id());
        let database = Self { server, name };
        database.remove().await;
        database
            .ask_server(&format!("CREATE DATABASE {}", database.name))
            .await;
        database
    }

    async fn remove(&self) {
        self.ask_server(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name))
            .await;
    }

    async fn ask_server(&self, statement: &str) {
        let mut connection = PgConnection::connect(&self.server).await.unwrap();
        let statement = sqlx::raw_sql(AssertSqlSafe(statement));
        statement.execute(&mut connection).await.unwrap();
    }

    async fn connect(&self) -> PgConnection {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        PgConnection::connect(&format!("{server}/{}", self.name))
            .await
            .unwrap()
    }

    async fn migrate(&self, steps: &[Migration], which: Steps) -> Result<Migrated, OpenError> {
        run(&mut self.connect().await, steps, which).await
    }

    async fn number(&self, sql: &'static str) -> i64 {
        let mut connection = self.connect().await;
        let row = sqlx::query(sql).fetch_one(&mut connection).await.unwrap();
        row.try_get(0).unwrap()
    }
}

fn with_database<F: Future<Output = ()>>(test: impl FnOnce(std::sync::Arc<Database>) -> F) {
    conformance::run(async {
        let database = std::sync::Arc::new(Database::fresh().await);
        test(std::sync::Arc::clone(&database)).await;
        database.remove().await;
    });
}

const VERSIONS: &str = "SELECT count(*) FROM portcullis_migrations";

#[test]
fn a_step_that_fails_half_way_leaves_nothing_and_completes_at_the_next_start() {
    with_database(|database| async move {
        let broken = Migration {
            sql: "CREATE TABLE sessions (z integer); CREATE TABLE users (x integer);",
            ..SECOND
        };
        let failed = database.migrate(&[FIRST, broken], Steps::Safe).await.unwrap_err();
        assert!(failed.to_string().contains("step 2, second"), "{failed}");
        assert_eq!(database.number(VERSIONS).await, 1);
        let done = database.migrate(&[FIRST, SECOND], Steps::Safe).await.unwrap();
        assert_eq!(done, Migrated { from: 1, to: 2 });
        assert_eq!(database.number("SELECT count(*) FROM users").await, 1000);
    });
}

#[test]
fn a_database_of_the_first_version_is_brought_along_with_what_it_holds() {
    with_database(|database| async move {
        database.migrate(&MIGRATIONS[..1], Steps::Safe).await.unwrap();
        let first = "INSERT INTO users (pool, id, revision, record) VALUES ('Users', 'ann', 1, '{}'); \
            INSERT INTO sessions (token, pool, user_id, id, record) VALUES ('t', 'Users', 'ann', 's', '{}'); \
            INSERT INTO audit (at, record) VALUES (1, '{}'), (2, '{}');";
        let mut connection = database.connect().await;
        sqlx::raw_sql(first).execute(&mut connection).await.unwrap();
        let migrated = database.migrate(MIGRATIONS, Steps::Safe).await.unwrap();
        assert_eq!(migrated, Migrated { from: 1, to: 5 });
        assert_eq!(
            database
                .number("SELECT count(*) FROM sessions WHERE last_used IS NULL")
                .await,
            1
        );
        assert_eq!(
            database
                .number("SELECT count(*) FROM audit WHERE kind IS NULL")
                .await,
            2
        );
        // Nobody had a role, and there was no rule.
        for empty in ["SELECT count(*) FROM role_members", "SELECT count(*) FROM access"] {
            assert_eq!(database.number(empty).await, 0);
        }
        // A node of the first version goes on beside.
        sqlx::raw_sql("INSERT INTO audit (at, record) VALUES (3, '{}')")
            .execute(&mut connection)
            .await
            .unwrap();
        let older = database.migrate(&MIGRATIONS[..1], Steps::Safe).await.unwrap();
        assert_eq!(older, Migrated { from: 5, to: 5 });
    });
}

#[test]
fn a_node_killed_in_the_middle_of_a_step_leaves_it_to_the_next() {
    with_database(|database| async move {
        let slow = Migration {
            sql: "CREATE TABLE sessions (z integer); SELECT pg_sleep(60);",
            ..SECOND
        };
        let killed = std::sync::Arc::clone(&database);
        let killed = tokio::spawn(async move { killed.migrate(&[FIRST, slow], Steps::Safe).await });
        let busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()";
        while database.number(busy).await == 0 {
            sleep(Duration::from_millis(10)).await;
        }
        let next = std::sync::Arc::clone(&database);
        let next = tokio::spawn(async move { next.migrate(&[FIRST, SECOND], Steps::Safe).await });
        sleep(Duration::from_millis(300)).await;
        assert!(!next.is_finished(), "it waits for its turn");
        database
            .ask_server(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()",
            )
            .await;
        assert!(killed.await.unwrap().is_err());
        assert_eq!(next.await.unwrap().unwrap(), Migrated { from: 1, to: 2 });
    });
}

#[test]
fn of_twenty_nodes_one_makes_each_step() {
    with_database(|database| async move {
        let starting = std::sync::Arc::clone(&database);
        let answers = conformance::race(20, move |_| {
            let database = std::sync::Arc::clone(&starting);
            async move { database.migrate(&[FIRST, SECOND, BESIDE], Steps::Safe).await }
        })
        .await;
        for answer in answers {
            assert_eq!(answer.unwrap().to, 3);
        }
        assert_eq!(database.number("SELECT count(*) FROM users").await, 1000);
    });
}

#[test]
fn an_index_that_was_left_half_made_is_made_anew() {
    with_database(|database| async move {
        database.migrate(&[FIRST, SECOND], Steps::Safe).await.unwrap();
        let half_made = "CREATE INDEX users_x ON users (x); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_x'::regclass";
        sqlx::raw_sql(half_made)
            .execute(&mut database.connect().await)
            .await
            .unwrap();
        database
            .migrate(&[FIRST, SECOND, BESIDE], Steps::Safe)
            .await
            .unwrap();
        let valid = "SELECT count(*) FROM pg_index WHERE indexrelid = 'users_x'::regclass AND indisvalid";
        assert_eq!(database.number(valid).await, 1);
    });
}

#[test]
fn a_start_never_takes_away_and_a_migration_does() {
    with_database(|database| async move {
        let all = [FIRST, SECOND, BESIDE, TAKES_AWAY];
        let started = database.migrate(&all, Steps::Safe).await.unwrap();
        assert_eq!(started, Migrated { from: 0, to: 3 });
        let migrated = database.migrate(&all, Steps::All).await.unwrap();
        assert_eq!(migrated, Migrated { from: 3, to: 4 });
        let columns =
            "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'x'";
        assert_eq!(database.number(columns).await, 0);
    });
}

#[test]
fn an_older_server_goes_on_until_what_it_needs_is_taken_away() {
    with_database(|database| async move {
        database
            .migrate(&[FIRST, SECOND, BESIDE], Steps::All)
            .await
            .unwrap();
        let older = database.migrate(&[FIRST, SECOND], Steps::Safe).await.unwrap();
        assert_eq!(older, Migrated { from: 3, to: 3 });
        let all = [FIRST, SECOND, BESIDE, TAKES_AWAY];
        database.migrate(&all, Steps::All).await.unwrap();
        let before = database.migrate(&all[..3], Steps::Safe).await.unwrap();
        assert_eq!(before.to, 4, "it knows as much as it must");
        let refused = database.migrate(&all[..2], Steps::Safe).await.unwrap_err();
        let said = refused.to_string();
        assert!(matches!(refused, OpenError::NewerSchema { .. }), "{said}");
        assert!(
            said.contains("schema version 4") && said.contains("this one knows 2"),
            "{said}"
        );
    });
}

#[test]
fn a_step_added_behind_one_that_waits_for_its_migration_runs_at_start() {
    with_database(|database| async move {
        let gentle = Migration {
            kind: Kind::Contract { oldest: 2 },
            sql: "ALTER TABLE users DROP COLUMN y;",
            ..TAKES_AWAY
        };
        let all = [FIRST, SECOND, gentle, BESIDE];
        database.migrate(&all, Steps::Safe).await.unwrap();
        assert_eq!(database.number(VERSIONS).await, 3);
        database.migrate(&all, Steps::All).await.unwrap();
        assert_eq!(database.number(VERSIONS).await, 4);
    });
}

#[test]
fn a_step_that_was_edited_is_noticed() {
    with_database(|database| async move {
        database.migrate(&[FIRST, SECOND], Steps::Safe).await.unwrap();
        let edited = Migration {
            sql: "ALTER TABLE users ADD COLUMN y bigint;",
            ..SECOND
        };
        let refused = database.migrate(&[FIRST, edited], Steps::Safe).await.unwrap_err();
        assert!(matches!(refused, OpenError::Altered { version: 2 }), "{refused}");
    });
}

#[test]
fn a_step_that_meets_a_locked_table_waits_for_it() {
    with_database(|database| async move {
        database.migrate(&[FIRST], Steps::Safe).await.unwrap();
        let mut reader = database.connect().await;
        let long = "BEGIN; LOCK TABLE users IN ACCESS SHARE MODE";
        sqlx::raw_sql(long).execute(&mut reader).await.unwrap();
        let migrating = std::sync::Arc::clone(&database);
        let migrating = tokio::spawn(async move { migrating.migrate(&[FIRST, SECOND], Steps::Safe).await });
        sleep(Duration::from_secs(6)).await;
        assert!(!migrating.is_finished(), "it came back after it stepped aside");
        sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();
        assert_eq!(migrating.await.unwrap().unwrap(), Migrated { from: 1, to: 2 });
    });
}
