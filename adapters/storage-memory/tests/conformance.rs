//! The conformance cases, run against memory.

use std::sync::Arc;

use conformance::Fixture;
use domain::ports::{AccessStore, ApplicationStore, AuditLog, Outbox, Tombstones, UserStore};
use storage_memory::MemoryStore;

async fn users() -> Fixture<dyn UserStore> {
    Fixture::new(Arc::new(MemoryStore::default()))
}

async fn audit() -> Fixture<dyn AuditLog> {
    Fixture::new(Arc::new(MemoryStore::default()))
}

async fn applications() -> Fixture<dyn ApplicationStore> {
    Fixture::new(Arc::new(MemoryStore::default()))
}

async fn access() -> Fixture<dyn AccessStore> {
    Fixture::new(Arc::new(MemoryStore::default()))
}

async fn whole() -> Fixture<MemoryStore> {
    Fixture::new(Arc::new(MemoryStore::default()))
}

async fn tombstones() -> Fixture<dyn Tombstones> {
    Fixture::new(Arc::new(MemoryStore::default()))
}

async fn outbox() -> Fixture<dyn Outbox> {
    Fixture::new(Arc::new(MemoryStore::default()))
}

conformance::user_store!(users);
conformance::user_identities!(users);
conformance::audit_log!(audit);
conformance::application_store!(applications);
conformance::access_store!(access);
conformance::role_members!(whole);
conformance::tombstones!(tombstones);
conformance::outbox!(outbox);
