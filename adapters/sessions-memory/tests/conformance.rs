//! The conformance cases, run against memory.

use std::sync::Arc;

use conformance::Fixture;
use domain::ports::{FlowStore, RateLimiter, SessionStore};
use sessions_memory::MemorySessions;

async fn sessions() -> Fixture<dyn SessionStore> {
    Fixture::new(Arc::new(MemorySessions::default()))
}

async fn flows() -> Fixture<dyn FlowStore> {
    Fixture::new(Arc::new(MemorySessions::default()))
}

async fn limits() -> Fixture<dyn RateLimiter> {
    Fixture::new(Arc::new(MemorySessions::default()))
}

conformance::session_store!(sessions);
conformance::flow_store!(flows);
conformance::rate_limiter!(limits);
