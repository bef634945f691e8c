#![doc = include_str!("../README.md")]

mod config;
mod error;
mod fetch;
mod profiles;
mod provider;
mod token;

pub use config::{Endpoints, OAuth2Config, ProfileKind, TokenEndpointAuth};
pub use error::OAuth2ConfigError;
pub use provider::OAuth2Provider;
