//! Everything breaks once while people go on: what was acknowledged is there afterwards, and nothing is spent twice.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests that say what they measured"
)]

mod databases;
mod elsewhere;
mod keepers;
mod power_cuts;
mod revocation;

use std::time::Duration;

/// How long people are left alone before, between and after faults.
async fn a_while() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}
