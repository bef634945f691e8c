//! The conformance cases, run against memory.

use std::sync::Arc;

use conformance::Fixture;
use domain::ports::{AuditLog, UserStore};
use storage_memory::MemoryStore;

async fn users() -> Fixture<dyn UserStore> {
    Fixture::new(Arc::new(MemoryStore::default()))
}

async fn audit() -> Fixture<dyn AuditLog> {
    Fixture::new(Arc::new(MemoryStore::default()))
}

conformance::user_store!(users);
conformance::audit_log!(audit);
