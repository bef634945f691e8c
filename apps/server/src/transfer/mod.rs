//! Moving everything from one store to another: records as lines of JSON, out of the ports of one store and into those of another.
//! `docs/MOVING.md` tells the format and the procedure. Nothing here knows an adapter or a command line.

mod access;
mod check;
mod error;
mod export;
mod follow;
mod frame;
mod import;
mod message;
mod part;
mod progress;
mod reading;
mod record;
mod stores;
mod tally;
#[cfg(test)]
mod tests;
mod verify;

pub use check::{Checked, check};
pub use error::TransferError;
pub use export::{Sink, Written, export};
pub use follow::{Followed, Round};
pub use frame::{FORMAT, Header, VERSION};
pub use import::{Report, Way, import};
pub use part::export_to;
pub use progress::{Progress, Unit};
pub use reading::Reading;
pub use record::Record;
pub use stores::Stores;
pub use tally::Tallies;
#[cfg(test)]
pub use tally::Tally;
pub use verify::{Verified, verify};
