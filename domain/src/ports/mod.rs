//! Ports: the roles that adapters play for the core.
//!
//! A port is a role noun in the words of the domain, with at most seven methods, held as `Arc<dyn Port>`. Methods speak
//! aggregates and newtypes, never rows or documents. Each **MUST** in a doc comment is a case of that name in
//! `tests/conformance`, which every adapter of the port runs.
//!
//! Every method is safe to cancel: dropping the future leaves either all of its effect or none.

mod access_store;
mod application_store;
mod audit_log;
mod breached_passwords;
mod clock;
mod entropy_source;
mod flow_store;
mod identity_provider;
mod mailer;
mod negotiator;
mod outbox;
mod passkey_verifier;
mod password_directory;
mod password_hasher;
mod provider_directory;
mod provider_fault;
mod rate_limiter;
mod role_members;
mod sealer;
mod session_store;
mod single_logout;
mod sms_sender;
mod timer;
mod token_signer;
mod tombstones;
mod user_store;
mod webhook_sender;

// Whole modules, so that the mocks of the `mock` feature come along.
pub use access_store::*;
pub use application_store::*;
pub use audit_log::*;
pub use breached_passwords::*;
pub use clock::*;
pub use entropy_source::*;
pub use flow_store::*;
pub use identity_provider::*;
pub use mailer::*;
pub use negotiator::*;
pub use outbox::*;
pub use passkey_verifier::*;
pub use password_directory::*;
pub use password_hasher::*;
pub use provider_directory::*;
pub use provider_fault::*;
pub use rate_limiter::*;
pub use role_members::*;
pub use sealer::*;
pub use session_store::*;
pub use single_logout::*;
pub use sms_sender::*;
pub use timer::*;
pub use token_signer::*;
pub use tombstones::*;
pub use user_store::*;
pub use webhook_sender::*;

use std::error::Error;

use crate::time::Lifetime;

/// Why an adapter could not do what it was asked. Absence is not an error: it is `None`.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The user was changed since it was read: read it again and decide again.
    #[error("the user was changed meanwhile")]
    Stale,
    /// The user's unique key is taken.
    #[error("{0:?} is taken")]
    Duplicate(UniqueKey),
    /// The adapter has as much work as it takes on.
    #[error("too much work at once")]
    Busy {
        /// When a new try is likely to be taken.
        retry_after: Lifetime,
    },
    /// The outside thing does not answer.
    #[error("unavailable: {source}")]
    Unavailable {
        /// What it said, for the operator's log alone.
        source: Box<dyn Error + Send + Sync>,
        /// Whether the same call may succeed in a moment.
        retry: bool,
    },
    /// Stored data cannot be read back.
    #[error("corrupt: {what}")]
    Corrupt {
        /// Which record, without its content.
        what: String,
    },
}

impl PortError {
    /// An outage that may pass.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable {
            source: source.into(),
            retry: true,
        }
    }

    /// Whether the same call may succeed in a while, with nothing decided anew.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Unavailable { retry: true, .. })
    }

    /// A record that cannot be read back.
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
}
