//! The provider against a site on this machine that says what a test wants it to say.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod begin;
mod claim;
mod discovery;
#[path = "../support/mod.rs"]
mod support;
