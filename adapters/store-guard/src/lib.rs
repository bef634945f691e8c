#![doc = include_str!("../README.md")]

mod breaker;
mod recent;
mod weight;

pub use breaker::Breaker;
pub use recent::{Forgetting, Recent, Ticket};
pub use weight::{weight_of_session, weight_of_user};
