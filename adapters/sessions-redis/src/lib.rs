#![doc = include_str!("../README.md")]

mod cache;
mod config;
mod connect;
mod error;
mod fleet;
mod flows;
mod keys;
mod limiter;
mod listing;
mod node;
mod pending;
mod scout;
mod scripts;
mod sessions;
mod store;
mod watch;

pub use config::RedisConfig;
pub use error::OpenError;
pub use store::{Durable, RedisSessions};
