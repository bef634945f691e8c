#![doc = include_str!("../README.md")]

mod breaker;
mod known;
mod recent;
mod weight;

pub use breaker::Breaker;
pub use known::KnownAccess;
pub use recent::{Forgetting, Recent, Ticket};
pub use weight::{weight_of_session, weight_of_user};
