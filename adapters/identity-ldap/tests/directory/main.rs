//! Log-ins by a real OpenLDAP, and by servers that say what Active Directory says, or anything at all.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod active;
mod groups;
mod hostile;
mod many;
mod person;
mod responder;
mod settings;
mod support;
mod tls;
