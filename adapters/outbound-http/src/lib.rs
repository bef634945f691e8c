#![doc = include_str!("../README.md")]

mod address;
mod config;
mod error;
mod headers;
mod outbound;

pub use address::{check_address, is_loopback};
pub use config::OutboundConfig;
pub use error::OutboundError;
pub use headers::{BadHeader, custom_headers};
pub use outbound::Outbound;
