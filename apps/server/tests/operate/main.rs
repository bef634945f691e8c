//! The commands of an operator: keys and applications, beside a running server and without one.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod app;
mod house;
mod keys;
mod nodes;
