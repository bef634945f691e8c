#![doc = include_str!("../README.md")]

mod ber;
mod config;
mod connection;
mod directory;
mod dn;
mod entry;
mod error;
mod finder;
#[doc(hidden)]
pub mod fuzzing;
mod groups;
mod message;
mod pool;
mod principal;
mod profile;
mod server;
mod sid;
mod template;
mod verdict;

pub use config::{GroupSearch, LdapConfig, LdapLogin, Nesting, ServiceAccount};
pub use directory::LdapDirectory;
pub use error::LdapConfigError;
pub use message::Scope;
