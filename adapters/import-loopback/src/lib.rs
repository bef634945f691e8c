#![doc = include_str!("../README.md")]

mod convert;
mod error;
mod finding;
mod names;
mod reader;
mod row;
mod source;

pub use convert::{ApplicationDraft, Entry, Rules, UserDraft};
pub use error::ImportError;
pub use finding::{Finding, Findings, Severity, What};
pub use names::{Kind, Names};
pub use reader::{Counts, Reader};
