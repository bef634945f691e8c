#![doc = include_str!("../README.md")]

mod access;
mod applications;
mod audit;
mod breaker;
mod config;
mod connection;
mod error;
mod flows;
mod identities;
mod limits;
mod members;
mod migrate;
mod outbox;
mod pool;
mod rows;
mod sessions;
mod sorting;
mod statement;
mod store;
mod tls;
mod tombstones;
mod url;
mod users;

pub use config::PostgresConfig;
pub use error::OpenError;
pub use migrate::{Migrated, migrate};
pub use store::PostgresStore;
