//! `[audit]`: where events go, and how long they are kept.

use std::path::PathBuf;

use super::read::Reader;

/// Settings of the audit log.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Days an event is kept.
    pub keep_days: u64,
    /// A file that gets every event as a line of JSON.
    pub file: Option<PathBuf>,
}

impl Audit {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            keep_days: reader.number("keep_days", 365, 1..=36_500),
            file: reader.maybe_parsed("file", "none", file),
        }
    }
}

fn file(text: &str) -> Result<PathBuf, String> {
    if ["-", "/dev/stdout", "/dev/stderr"].contains(&text) {
        return Err(format!(
            "must be a file of its own, but is `{text}`: standard output belongs to the console that shows codes and mails, \
             standard error to the log, where every event is a line as well"
        ));
    }
    Ok(PathBuf::from(text))
}
