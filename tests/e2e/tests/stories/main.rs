//! What the wired server must do, told in stories: every test starts a server of its own.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails"
)]

mod access;
mod administration;
mod authenticator;
mod code_abuse;
mod curl_tour;
mod durability;
mod enterprise;
mod factors;
mod guessing;
mod headers;
mod limits;
mod log;
mod login;
mod mail;
mod migration;
mod moving;
mod moving_between;
mod moving_stopped;
mod old_clients;
mod operations;
mod own_sessions;
mod pools;
mod profile;
mod providers;
mod races;
mod recover;
mod set_up;
mod sign_up;
mod sms_gateway;
mod spent_once;
mod stolen_store;
mod switching;
mod tokens;
mod two_factor;
mod unicode;
mod webhooks;
mod wire;
