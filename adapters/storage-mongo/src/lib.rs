#![doc = include_str!("../README.md")]

mod access;
mod address;
mod applications;
mod audit;
mod config;
mod connection;
mod documents;
mod error;
mod faithful;
mod flows;
mod indexes;
mod limits;
mod migrate;
mod outbox;
mod sessions;
mod store;
mod tombstones;
mod users;

pub use config::MongoConfig;
pub use error::OpenError;
pub use migrate::{Migrated, migrate};
pub use store::MongoStore;
