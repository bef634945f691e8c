#![doc = include_str!("../README.md")]

mod ask;
mod cache;
mod claims;
mod client_secret;
mod config;
mod discovery;
mod issuer;
mod jws;
mod keys;
mod profile;
mod provider;
mod quick;
mod ready;
mod settled;
mod start;
mod token;
mod userinfo;

#[cfg(test)]
#[path = "../tests/oidc/idp/keys.rs"]
mod test_keys;

pub use config::{
    Caching, ClientSecret, ConfigError, EmailRule, IssuerRule, OidcConfig, ResponseMode, SubjectRule,
    TokenAuth, UserInfo,
};
pub use provider::OidcProvider;
