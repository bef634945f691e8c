//! The contract of the REST calls, met as a client meets them: over a socket, against the wired services on memory adapters.
//! The folders mirror the URL tree.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the exemption of tests does not reach their helpers"
)]

mod poison;
mod site;
mod takeovers;
mod users;
