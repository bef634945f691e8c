//! What the wired server must do, told in stories: every test starts a server of its own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod limits;
mod login;
mod pools;
mod profile;
mod recover;
mod sign_up;
mod tokens;
mod two_factor;
mod unicode;
