#![doc = include_str!("../README.md")]

mod alarm;
mod config;
mod error;
mod gsm;
mod number;
mod sender;
mod wire;
mod words;

pub use config::NexmoConfig;
pub use error::NexmoConfigError;
pub use sender::NexmoSmsSender;
