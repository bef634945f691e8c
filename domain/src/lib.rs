#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

pub mod access;
pub mod application;
pub mod audit;
pub mod credential;
pub mod endings;
pub mod entropy;
pub mod error;
pub mod flow;
pub mod flow_record;
pub mod id;
pub mod identity;
pub mod limits;
pub mod message;
pub mod origin;
pub mod outbox;
pub mod policy;
pub mod ports;
pub mod secret;
pub mod service;
pub mod session;
pub mod signed_token;
pub mod stored;
pub mod time;
pub mod tombstone;
pub mod user;
