//! The pure core of Portcullis.
pub mod audit;
pub mod credential;
pub mod entropy;
pub mod flow_record;
pub mod id;
pub mod limits;
pub mod message;
pub mod ports;
pub mod secret;
pub mod session;
pub mod time;
pub mod user;
