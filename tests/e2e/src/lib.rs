//! Starts the real server (its own process, its own files, a port of its own) and talks to it as clients do.
//!
//! ```no_run
//! # use e2e::Portcullis;
//! # async fn story() {
//! let server = Portcullis::start().await;
//! let ann = server.client().sign_up("ann").await;
//! let token = server.client().log_in(&ann).await;
//! server.client().with(&token).get("/api/Users/me").await.expect(200);
//! # }
//! ```
//! A [`Portcullis`] ends its process when it is dropped, and shows the end of its log when the test failed. Nothing here sleeps
//! for a fixed time: it waits for what it needs, and gives up loudly.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a harness that cannot go on fails the test, and shows why"
)]

pub mod binary;
mod browser;
mod client;
mod console;
mod counterparty;
mod mail_server;
mod people;
mod server;
mod stores;
pub mod wrapping;

pub use browser::{Browser, Page};
pub use client::{Client, Reply};
pub use console::{Console, in_link};
pub use counterparty::{Counterparty, authority};
pub use mail_server::MailServer;
pub use people::{PASSWORD, Person};
pub use server::{Portcullis, Setup};
