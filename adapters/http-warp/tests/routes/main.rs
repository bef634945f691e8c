//! The contract of the REST calls, met as a client meets them: over a socket, against the wired services on memory adapters.
//! The folders mirror the URL tree.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the exemption of tests does not reach their helpers"
)]

mod administer;
mod administer_users;
mod applications;
#[expect(dead_code, reason = "the tests of pages use more of it")]
#[path = "../pages/browser.rs"]
mod browser;
mod external;
mod guard;
mod impersonate;
mod introspect;
mod models;
mod outage;
mod poison;
mod programs;
mod site;
mod takeovers;
mod users;
