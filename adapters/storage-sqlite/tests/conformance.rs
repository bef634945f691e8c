//! The conformance cases, run against a database file of each case's own.
#![expect(clippy::unwrap_used, reason = "fixtures of tests")]

use std::sync::Arc;

use conformance::Fixture;
use domain::ports::{
    AccessStore, ApplicationStore, AuditLog, FlowStore, Outbox, RateLimiter, SessionStore, Tombstones,
    UserStore,
};
use storage_sqlite::{SqliteConfig, SqliteStore};
use tempfile::TempDir;

fn fresh() -> (Arc<SqliteStore>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let config = SqliteConfig::new(directory.path().join("portcullis.db"));
    (Arc::new(SqliteStore::open(&config).unwrap()), directory)
}

async fn users() -> Fixture<dyn UserStore> {
    let (store, directory) = fresh();
    Fixture::new(store as Arc<dyn UserStore>).guarded_by(directory)
}

async fn sessions() -> Fixture<dyn SessionStore> {
    let (store, directory) = fresh();
    let port: Arc<dyn SessionStore> = Arc::clone(&store) as _;
    Fixture::new(port).with_users(store).guarded_by(directory)
}

async fn flows() -> Fixture<dyn FlowStore> {
    let (store, directory) = fresh();
    let port: Arc<dyn FlowStore> = Arc::clone(&store) as _;
    Fixture::new(port).with_users(store).guarded_by(directory)
}

async fn limits() -> Fixture<dyn RateLimiter> {
    let (store, directory) = fresh();
    Fixture::new(store as Arc<dyn RateLimiter>).guarded_by(directory)
}

async fn audit() -> Fixture<dyn AuditLog> {
    let (store, directory) = fresh();
    Fixture::new(store as Arc<dyn AuditLog>).guarded_by(directory)
}

async fn applications() -> Fixture<dyn ApplicationStore> {
    let (store, directory) = fresh();
    Fixture::new(store as Arc<dyn ApplicationStore>).guarded_by(directory)
}

async fn access() -> Fixture<dyn AccessStore> {
    let (store, directory) = fresh();
    Fixture::new(store as Arc<dyn AccessStore>).guarded_by(directory)
}

async fn tombstones() -> Fixture<dyn Tombstones> {
    let (store, directory) = fresh();
    Fixture::new(store as Arc<dyn Tombstones>).guarded_by(directory)
}

async fn outbox() -> Fixture<dyn Outbox> {
    let (store, directory) = fresh();
    Fixture::new(store as Arc<dyn Outbox>).guarded_by(directory)
}

async fn whole() -> Fixture<SqliteStore> {
    let (store, directory) = fresh();
    Fixture::new(store).guarded_by(directory)
}

conformance::user_store!(users);
conformance::user_identities!(users);
conformance::session_store!(sessions);
conformance::flow_store!(flows);
conformance::rate_limiter!(limits);
conformance::audit_log!(audit);
conformance::application_store!(applications);
conformance::access_store!(access);
conformance::role_members!(whole);
conformance::tombstones!(tombstones);
conformance::outbox!(outbox);
conformance::user_deletion!(whole);
