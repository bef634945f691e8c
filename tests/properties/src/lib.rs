//! The laws of the domain, checked on random moves.
//!
//! A [`model`] that knows only what each person truly proved, and when, runs beside the real services over a [`world`] in
//! memory. After every move both must tell the same story. The model is written to be obviously right: it has no epochs, no
//! revisions and no stores, it just strikes out what a move ends.

pub mod agreement;
pub mod model;
pub mod moves;
pub mod reference;
pub mod scenes;
pub mod strategies;
pub mod system;
pub mod world;
