#![doc = include_str!("../README.md")]

mod flows;
mod limits;
mod owned;
mod sessions;

use std::sync::{Mutex, RwLock};

/// Sessions, flows and counters of one process.
#[derive(Debug, Default)]
pub struct MemorySessions {
    // Tokens are checked far more often than sessions change.
    sessions: RwLock<sessions::Sessions>,
    flows: Mutex<flows::Flows>,
    counters: Mutex<limits::Counters>,
}
