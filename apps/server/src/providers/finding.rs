//! What the linter notices, in sentences that name the entry and the key and say what to do.

use std::fmt;

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
pub struct Findings(Vec<Finding>);

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
        self.0.push(Finding {
            severity,
            entry: entry.map(str::to_owned),
            message: message.into(),
        });
    }

    /// Whether the file is refused.
    pub fn refuse(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The sentences of one severity.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(move |finding| finding.severity == severity)
    }
}
