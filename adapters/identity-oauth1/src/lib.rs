#![doc = include_str!("../README.md")]

mod config;
mod error;
mod exchange;
mod profile;
mod provider;
mod signature;

pub use config::{Endpoints, OAuth1Config, OAuth1Kind};
pub use error::OAuth1ConfigError;
pub use provider::OAuth1Provider;
pub use signature::SignatureMethod;
