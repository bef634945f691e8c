//! The pages, met as a browser without JavaScript meets them: over a socket, with cookies, forms and redirects.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the exemption of tests does not reach their helpers"
)]

mod account;
mod acting;
mod browser;
mod external;
mod factors;
mod files;
mod gate;
mod guard;
mod join;
mod linked;
mod links;
mod onward;
mod problems;
mod setup;
#[expect(dead_code, reason = "the REST tests use more of it")]
#[path = "../routes/site.rs"]
mod site;
mod two_factor;
