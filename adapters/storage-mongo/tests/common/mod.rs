//! Databases of the tests' own.
#![expect(clippy::unwrap_used, reason = "fixtures of tests")]

use std::time::Duration;

use domain::secret::Secret;
use mongodb::Client;
use storage_mongo::MongoConfig;

/// A loaded machine must never fail a case that is not about time.
const GENEROUS: Duration = Duration::from_mins(1);

/// A database of one case's own on the server of this run, dropped with this value.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// A name nobody else draws; the database is there once somebody writes.
    pub fn fresh() -> Self {
        Self::on(&servers::env("MONGODB_URL", "storage-mongo"))
    }

    /// The same on another server.
    pub fn on(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            name: format!("test_{}", mongodb::bson::oid::ObjectId::new().to_hex()),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn url(&self) -> String {
        named(&self.server, &self.name)
    }

    /// Settings without haste.
    pub fn config(&self) -> MongoConfig {
        let mut config = MongoConfig::new(Secret::new(self.url()));
        config.operation_timeout = GENEROUS;
        config.server_selection_timeout = GENEROUS;
        config.connect_timeout = GENEROUS;
        config
    }
}

/// A database itself, for looking behind a store's back.
pub async fn behind(url: &str, name: &str) -> mongodb::Database {
    let client = Client::with_uri_str(url).await.unwrap();
    client.database(name)
}

/// A server's URL with the name of a database in it.
fn named(server: &str, name: &str) -> String {
    let (place, options) = server.split_once('?').unwrap_or((server, ""));
    let (scheme, place) = place.split_once("://").unwrap();
    let (hosts, _) = place.split_once('/').unwrap_or((place, ""));
    format!("{scheme}://{hosts}/{name}?{options}")
}

impl Drop for Database {
    fn drop(&mut self) {
        let (url, name) = (self.url(), self.name().to_owned());
        // The runtime of the case cannot be waited for from within.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let database = behind(&url, &name).await;
                drop(tokio::time::timeout(Duration::from_secs(10), database.drop()).await);
            });
        });
        drop(dropping.join());
    }
}
