//! Telling the operator that somebody has to look.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The same is said once in this time: each code that is refused would say it again.
const QUIET: Duration = Duration::from_mins(5);

/// What was said, and when.
#[derive(Debug, Default)]
pub struct Alarm(Mutex<BTreeMap<&'static str, Instant>>);

impl Alarm {
    /// Writes an error into the log, unless the same was written a moment ago.
    pub fn ring(&self, reason: &'static str) {
        if self.is_news(reason, Instant::now()) {
            tracing::error!(
                reason,
                "the SMS gateway takes no messages from us: somebody has to look at the account"
            );
        }
    }

    fn is_news(&self, reason: &'static str, now: Instant) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = said
            .get(reason)
            .is_none_or(|before| now.saturating_duration_since(*before) >= QUIET);
        if is_news {
            said.insert(reason, now);
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told_once_in_a_while() {
        let (alarm, now) = (Alarm::default(), Instant::now());
        assert!(alarm.is_news("credit", now));
        assert!(!alarm.is_news("credit", now + QUIET / 2));
        assert!(alarm.is_news("credentials", now));
        assert!(alarm.is_news("credit", now + QUIET));
    }
}
