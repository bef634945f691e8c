#![doc = include_str!("../README.md")]

mod answer;
mod ceremony;
mod fault;
mod material;
mod site;
mod verifier;

pub use site::{Site, SiteError};
pub use verifier::WebauthnVerifier;
