//! What every list of breached passwords must do, asked of a server that gives ranges.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "range/server.rs"]
mod server;

use std::sync::Arc;

use conformance::Fixture;
use domain::ports::BreachedPasswords;
use server::RangeServer;

async fn fresh() -> Fixture<dyn BreachedPasswords> {
    let server = RangeServer::start().await;
    let list: Arc<dyn BreachedPasswords> = Arc::new(server.list());
    Fixture::new(list).guarded_by(server)
}

conformance::breached_passwords!(fresh);
