//! Several nodes behind one balancer, people who use them without a pause, and a book of what they were promised.
//!
//! A test builds a [`Town`], sets [`work`] going, breaks things, lets the work end, and has every promise checked: what was
//! acknowledged is there, what was ended stays ended, nothing that works once worked twice. `just nodes` prints the counts.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a harness that cannot go on fails the test, and shows why"
)]

mod ask;
mod book;
mod town;
pub mod work;

pub use ask::{Answer, Asker};
pub use book::{Book, Life};
pub use town::{Plan, Town, View};
