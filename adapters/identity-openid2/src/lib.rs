#![doc = include_str!("../README.md")]

mod address;
mod cache;
mod config;
mod discovery;
mod error;
mod extension;
mod fetch;
#[doc(hidden)]
pub mod fuzzing;
mod html;
mod key_value;
mod message;
mod nonce;
mod provider;
mod ready;
mod realm;
mod steam;
mod xrds;

pub use config::{Dialect, OpenId2Config};
pub use error::OpenId2ConfigError;
pub use provider::OpenId2Provider;
