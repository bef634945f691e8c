//! Follows `docs/ADAPTERS.md` to the letter: what its blocks say is done in a copy of the workspace, and built.
//!
//! It never writes into the checkout. Only cargo's intermediate files are shared with it, so that crates from elsewhere are compiled
//! once.

mod document;
mod workspace;

pub use document::{Step, steps};
pub use workspace::Workspace;
