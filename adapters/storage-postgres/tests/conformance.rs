//! The conformance cases, run against a database of each case's own on a real server.
#![expect(clippy::unwrap_used, reason = "fixtures of tests")]

mod place;

use std::sync::Arc;

use conformance::{Fixture, Link, Neighbours, Roles, Severed};
use domain::ports::{
    AccessStore, ApplicationStore, AuditLog, FlowStore, Outbox, RateLimiter, SessionStore, Tombstones,
    UserStore,
};
use place::Database;
use storage_postgres::{PostgresConfig, PostgresStore};

async fn fresh() -> (Arc<PostgresStore>, Database) {
    let database = Database::fresh().await;
    let store = PostgresStore::open(&database.config()).await.unwrap();
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

async fn whole() -> Fixture<PostgresStore> {
    let (store, database) = fresh().await;
    Fixture::new(store).guarded_by(database)
}

/// Two nodes on one database.
async fn neighbours() -> Fixture<Neighbours> {
    let database = Database::fresh().await;
    let here = Arc::new(PostgresStore::open(&database.config()).await.unwrap());
    let there = Arc::new(PostgresStore::open(&database.config()).await.unwrap());
    let neighbours = Neighbours {
        here: Roles::of_store(&here),
        there: Roles::of_store(&there),
    };
    Fixture::new(Arc::new(neighbours)).guarded_by(database)
}

/// A node whose server may be out of reach.
async fn severed() -> Fixture<Severed> {
    let database = Database::fresh().await;
    let url = database.url();
    let (user, place) = url.rsplit_once('@').unwrap();
    let (server, name) = place.rsplit_once('/').unwrap();
    let link = Link::to(server).await;
    let config = PostgresConfig::new(format!("{user}@{}/{name}", link.address()));
    let store = Arc::new(PostgresStore::open(&config).await.unwrap());
    let ready = Arc::clone(&store);
    let severed = Severed::new(link, Roles::of_store(&store)).with_ready(move || {
        let store = Arc::clone(&ready);
        async move { store.ready().await }
    });
    Fixture::new(Arc::new(severed)).guarded_by(database)
}

conformance::user_store!(users);
conformance::user_identities!(users);
conformance::user_deletion!(whole);
conformance::session_store!(sessions);
conformance::flow_store!(flows);
conformance::rate_limiter!(limits);
conformance::audit_log!(audit);
conformance::outbox!(outbox);
conformance::application_store!(applications);
conformance::access_store!(access);
conformance::role_members!(whole);
conformance::tombstones!(tombstones);
conformance::several_nodes!(neighbours);
conformance::outage!(severed);
