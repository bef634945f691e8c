#![doc = include_str!("../README.md")]

mod assertion;
mod attributes;
mod config;
mod decrypt;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod keys;
mod logout;
mod metadata;
mod name_id;
mod provider;
mod request;
mod response;
mod setup;
mod sign;
mod signature;
mod wire;
mod xml;

pub use config::{SamlBinding, SamlConfig, SamlHash};
pub use error::SamlConfigError;
pub use provider::SamlProvider;
