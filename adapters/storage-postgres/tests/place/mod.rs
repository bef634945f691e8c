//! A database of one test's own.
#![expect(clippy::unwrap_used, reason = "fixtures of tests")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use storage_postgres::PostgresConfig;

/// An empty database on the server of this run, gone with this value.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// A new one.
    pub async fn fresh() -> Self {
        Self::with("").await
    }

    /// A new one, made with these options of `CREATE DATABASE`.
    pub async fn with(options: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let server = servers::env("POSTGRES_URL", "storage-postgres");
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("pc_test_{}_{number}", std::process::id());
        run(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        run(&server, &format!("CREATE DATABASE {name} {options}")).await;
        Self { server, name }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    /// Settings for it.
    pub fn config(&self) -> PostgresConfig {
        PostgresConfig::new(self.url())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(run(
                &server,
                &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            ));
        });
        let _whatever = dropping.join();
    }
}

/// Runs statements in a database, from outside.
pub async fn run(url: &str, statements: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}
