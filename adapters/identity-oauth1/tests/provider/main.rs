//! The provider against a server on this machine that says what a test wants it to say.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod begin;
mod complete;
mod support;
