//! What happens when Redis is lost, late, old, replaced or out of reach: against servers of each test's own. Times are measured and
//! printed; only generous bounds are asserted.
#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "fixtures of tests")]

mod access;
mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod limits;
mod outage;
mod revival;
mod revocation;
mod stones;
