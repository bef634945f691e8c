//! `[audit]`: how long events are kept.

use super::read::Reader;

/// Settings of the audit log.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Days an event is kept.
    pub keep_days: u64,
}

impl Audit {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            keep_days: reader.number("keep_days", 365, 1..=36_500),
        }
    }
}
