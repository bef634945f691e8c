//! Why moving did not go on.

use std::io;

use domain::ports::PortError;

/// Why an export or import ended before its end: a sentence for the operator, without anything out of a record.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A line cannot be taken.
    #[error("line {line}: {why}")]
    Line {
        /// Which, counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A file cannot be used.
    #[error("{what}: {source}")]
    File {
        /// Which, and what was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A store did not do what it was asked, for as long as it was worth asking.
    #[error("{what}: {source}. What was done so far stays; run the same command again with --resume")]
    Store {
        /// Which record or what kind of records.
        what: String,
        /// What it said.
        source: PortError,
    },
    /// It would not be right to go on.
    #[error("{0}")]
    Refused(String),
}

impl TransferError {
    /// A file that cannot be used.
    pub fn file(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::File { what, source }
    }

    /// A store that does not do what it is asked.
    pub fn store(what: impl Into<String>) -> impl FnOnce(PortError) -> Self {
        let what = what.into();
        move |source| Self::Store { what, source }
    }
}
