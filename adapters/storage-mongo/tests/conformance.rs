//! The conformance cases, run against a real server and a database of each case's own.
#![expect(clippy::unwrap_used, reason = "fixtures of tests")]

mod common;

use std::sync::Arc;

use common::Database;
use conformance::{Fixture, Link, Roles, Severed};
use domain::ports::{
    AccessStore, ApplicationStore, AuditLog, FlowStore, Outbox, RateLimiter, SessionStore, Tombstones,
    UserStore,
};
use domain::secret::Secret;
use storage_mongo::{MongoConfig, MongoStore};

async fn fresh() -> (Arc<MongoStore>, Database) {
    let database = Database::fresh();
    let store = MongoStore::open(&database.config()).await.unwrap();
    (Arc::new(store), database)
}

async fn users() -> Fixture<dyn UserStore> {
    let (store, database) = fresh().await;
    Fixture::new(store as Arc<dyn UserStore>).guarded_by(database)
}

async fn sessions() -> Fixture<dyn SessionStore> {
    let (store, database) = fresh().await;
    let port: Arc<dyn SessionStore> = Arc::clone(&store) as _;
    Fixture::new(port).with_users(store).guarded_by(database)
}

async fn flows() -> Fixture<dyn FlowStore> {
    let (store, database) = fresh().await;
    let port: Arc<dyn FlowStore> = Arc::clone(&store) as _;
    Fixture::new(port).with_users(store).guarded_by(database)
}

async fn limits() -> Fixture<dyn RateLimiter> {
    let (store, database) = fresh().await;
    Fixture::new(store as Arc<dyn RateLimiter>).guarded_by(database)
}

async fn audit() -> Fixture<dyn AuditLog> {
    let (store, database) = fresh().await;
    Fixture::new(store as Arc<dyn AuditLog>).guarded_by(database)
}

async fn outbox() -> Fixture<dyn Outbox> {
    let (store, database) = fresh().await;
    Fixture::new(store as Arc<dyn Outbox>).guarded_by(database)
}

async fn applications() -> Fixture<dyn ApplicationStore> {
    let (store, database) = fresh().await;
    Fixture::new(store as Arc<dyn ApplicationStore>).guarded_by(database)
}

async fn access() -> Fixture<dyn AccessStore> {
    let (store, database) = fresh().await;
    Fixture::new(store as Arc<dyn AccessStore>).guarded_by(database)
}

async fn tombstones() -> Fixture<dyn Tombstones> {
    let (store, database) = fresh().await;
    Fixture::new(store as Arc<dyn Tombstones>).guarded_by(database)
}

async fn whole() -> Fixture<MongoStore> {
    let (store, database) = fresh().await;
    Fixture::new(store).guarded_by(database)
}

/// A link to the database's server, and the URL that leads over it and nowhere else.
async fn over_a_link(database: &Database) -> (Link, String) {
    let url = database.url();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (place, options) = rest.split_once('/').unwrap();
    let (login, hosts) = place
        .rsplit_once('@')
        .map_or(("", place), |(login, hosts)| (login, hosts));
    let server = hosts.split(',').next().unwrap();
    let link = Link::to(server).await;
    let at = if login.is_empty() { "" } else { "@" };
    let direct = if options.contains("directConnection=true") {
        ""
    } else {
        "&directConnection=true"
    };
    let url = format!("{scheme}://{login}{at}{}/{options}{direct}", link.address());
    (link, url)
}

/// With the bounds of a real server: what an outage does is all about time.
async fn severed() -> Fixture<Severed> {
    let database = Database::fresh();
    let (link, url) = over_a_link(&database).await;
    let store = MongoStore::open(&MongoConfig::new(Secret::new(url))).await;
    let store = Arc::new(store.unwrap());
    let ready = Arc::clone(&store);
    let severed = Severed::new(link, Roles::of_store(&store)).with_ready(move || {
        let store = Arc::clone(&ready);
        async move { store.ready().await }
    });
    Fixture::new(Arc::new(severed)).guarded_by(database)
}

conformance::user_store!(users);
conformance::user_identities!(users);
conformance::session_store!(sessions);
conformance::flow_store!(flows);
conformance::rate_limiter!(limits);
conformance::audit_log!(audit);
conformance::outbox!(outbox);
conformance::application_store!(applications);
conformance::access_store!(access);
conformance::role_members!(whole);
conformance::tombstones!(tombstones);
conformance::user_deletion!(whole);
conformance::outage!(severed);
