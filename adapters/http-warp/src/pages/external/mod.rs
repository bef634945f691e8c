//! What people see on their way to a provider and back. The way itself is in `routes::external`.

mod confirm;
pub mod directory;
mod failed;
pub mod join;
mod let_in;
mod onward;
mod send;

pub use confirm::{confirm_link, confirmed};
pub use failed::problem;
pub use join::offer_join;
pub use let_in::let_in;
pub use onward::onward;
pub use send::send;
