//! What happens when Redis is lost, late, old, replaced or out of reach: against servers of each test's own. Times are measured and
//! printed; only generous bounds are asserted.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "helpers of tests, which tell what they measured"
)]

mod access;
mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod limits;
mod outage;
mod revival;
mod revocation;
mod sentinels;
mod stamps;
mod stones;

use domain::flow_record::FlowRecord;
use domain::ports::{FlowStore, PortError};
use domain::secret::TokenHash;
use sessions_redis::RedisSessions;

/// Takes a flow: counters are taken from as well.
async fn take(node: &RedisSessions, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
    FlowStore::take(node, id).await
}
