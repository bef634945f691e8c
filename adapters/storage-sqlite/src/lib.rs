#![doc = include_str!("../README.md")]

mod access;
mod applications;
mod audit;
mod cache;
mod config;
mod connection;
mod crew;
mod error;
mod files;
mod flows;
mod identities;
mod limits;
mod members;
mod migrate;
mod outbox;
mod rows;
mod sessions;
mod store;
mod tombstones;
mod users;
mod writer;

pub use config::SqliteConfig;
pub use error::OpenError;
pub use migrate::{Migrated, migrate};
pub use store::SqliteStore;
