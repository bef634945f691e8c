//! The control socket: how the command line reaches a server that is running.
//!
//! An embedded store belongs to one process at a time, and only the server knows which keys it has loaded. A command is therefore
//! a value ([`Command`]) that is carried out where the stores are open: by the running server, which hears it over a socket beside
//! its key file, or, when none is running, by the command line itself. Both ways end in [`execute()`].
//!
//! A new family of commands is a file beside `app.rs` (what is asked, what is answered, how it is done), an arm in [`Command`],
//! [`Answer`] and [`execute()`], and a file of the same name in `cli/`.

pub mod app;
pub mod audit;
mod client;
mod execute;
pub mod keys;
mod line;
mod protocol;
pub mod role;
mod server;
mod socket;
pub mod user;
mod whom;

pub use client::connect;
pub use execute::{Refusal, execute};
pub use protocol::{Answer, Command, Hidden};
pub use server::listen;
pub use whom::Whom;

use std::sync::Arc;

use domain::service::Services;

use crate::keys::KeysInUse;

/// What commands are carried out on: the opened product.
#[derive(Clone)]
pub struct Operated {
    /// All the domain can do.
    pub services: Services,
    /// The keys it works with.
    pub keys: Arc<KeysInUse>,
}
