//! What every adapter of a port must do.
//!
//! One module per port, or per matter where a port has many. Each **MUST** in a port's doc comment is a case here; a case is a plain `async fn` over a
//! [`Fixture`], and the list of a port's cases stands once, in the macro that carries the port's name. An adapter's
//! `tests/conformance.rs` is an `async fn` that makes a fresh fixture, and one line per port:
//!
//! ```text
//! async fn users() -> Fixture<dyn UserStore> { … }
//! conformance::user_store!(users);
//! ```
//!
//! Every case becomes one named `#[test]`, `user_store::a_stale_commit_does_nothing` for example.

mod case;
pub mod counterpart;
pub mod desk;
mod fixture;
pub mod link;
mod log;
mod race;
mod roles;
pub mod sample;
mod severed;

pub mod access_store;
pub mod application_store;
pub mod audit_log;
pub mod breached_passwords;
pub mod entropy_source;
pub mod flow_store;
pub mod identity_provider;
pub mod mailer;
pub mod negotiator;
pub mod outage;
pub mod outbox;
pub mod passkey_verifier;
pub mod password_directory;
pub mod password_hasher;
pub mod rate_limiter;
pub mod role_members;
pub mod sealer;
pub mod session_store;
pub mod several_nodes;
pub mod single_logout;
pub mod sms_sender;
pub mod timer;
pub mod token_signer;
pub mod tombstones;
pub mod user_deletion;
pub mod user_identities;
pub mod user_store;
pub mod webhook_sender;

pub use case::run;
pub use fixture::Fixture;
pub use link::Link;
pub use race::{crowd, race};
pub use roles::Roles;
pub use several_nodes::Neighbours;
pub use severed::Severed;
