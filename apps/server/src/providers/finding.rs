//! What the linter notices, in sentences that name the entry and the key and say what to do.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is taken.
    Warning,
}

/// One thing noticed. Never quotes a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The entry; none when it is about the file.
    pub entry: Option<String>,
    /// The sentence.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entry {
            Some(entry) => write!(f, "entry `{entry}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Everything noticed in one file, in the order it was noticed.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    all: Vec<Finding>,
    files: BTreeSet<PathBuf>,
}

impl Findings {
    /// Notes something that refuses the file.
    pub fn error(&mut self, entry: Option<&str>, message: impl Into<String>) {
        self.push(Severity::Error, entry, message);
    }

    /// Notes something the operator should know.
    pub fn warning(&mut self, entry: Option<&str>, message: impl Into<String>) {
        self.push(Severity::Warning, entry, message);
    }

    fn push(&mut self, severity: Severity, entry: Option<&str>, message: impl Into<String>) {
        self.all.push(Finding {
            severity,
            entry: entry.map(str::to_owned),
            message: message.into(),
        });
    }

    /// Notes that a secret stands in a file of its own.
    pub fn names_file(&mut self, path: impl Into<PathBuf>) {
        self.files.insert(path.into());
    }

    /// The files that secrets stand in.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.iter()
    }

    /// Whether the file is refused.
    pub fn refuse(&self) -> bool {
        self.all.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The sentences of one severity.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.all
            .iter()
            .filter(move |finding| finding.severity == severity)
    }
}
