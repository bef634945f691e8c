//! Tickets and passwords, judged against a real KDC.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod passwords;
mod support;
mod tickets;
