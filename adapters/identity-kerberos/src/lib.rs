#![doc = include_str!("../README.md")]

mod config;
mod der;
mod error;
mod fault;
mod offer;
mod pool;
mod principal;
mod realm;
mod rules;
mod wire;
mod worker;

pub use config::{Addresses, KerberosConfig, Worker};
pub use error::KerberosConfigError;
pub use realm::KerberosRealm;
pub use worker::{ARGUMENT, worker};

/// The readers of outside bytes, for fuzzing.
#[doc(hidden)]
pub mod fuzzing {
    /// What a browser sends. Says whether a ticket was found in it.
    pub fn offer(bytes: &[u8]) -> bool {
        crate::offer::read(bytes).is_ok()
    }

    /// What a worker answers. Says whether it can be read.
    pub fn answer(bytes: &[u8]) -> bool {
        crate::wire::Answer::read(bytes).is_some()
    }

    /// A name in a ticket. Says whether it is one.
    pub fn principal(text: &str) -> bool {
        crate::principal::Principal::parse(text).is_some()
    }
}
