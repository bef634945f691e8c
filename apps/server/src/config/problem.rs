//! What is wrong with a configuration, in sentences that name the key and the place.

use std::fmt;

use super::source::Origin;

/// One fault. Never quotes a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where the fault stands; `None` when something is missing altogether.
    pub origin: Option<Origin>,
    /// The fault as a sentence without its place.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "{origin}: {}", self.message),
            None => write!(f, "{}", self.message),
        }
    }
}

/// Every fault that was found, those of the file first and in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    problems: Vec<Problem>,
}

impl ConfigErrors {
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| (a.origin.is_none(), &a.origin).cmp(&(b.origin.is_none(), &b.origin)));
        Self { problems }
    }

    pub(super) fn one(origin: Option<Origin>, message: impl Into<String>) -> Self {
        Self {
            problems: vec![Problem {
                origin,
                message: message.into(),
            }],
        }
    }
}

impl fmt::Display for ConfigErrors {
    /// One line per fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
