//! Whether a store answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::ports::PortError;

/// Refuses calls at once while nobody answers.
#[derive(Debug, Default)]
pub struct Breaker {
    /// Read by every call, hence not behind the lock.
    is_open: AtomicBool,
    because: Mutex<String>,
}

/// What a refused call is told.
#[derive(Debug, thiserror::Error)]
#[error("the database does not answer: {0}")]
struct Silent(String);

impl Breaker {
    /// Lets a call pass, or says what is the matter.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] while nobody answers.
    pub fn check(&self) -> Result<(), PortError> {
        if !self.is_open.load(Ordering::SeqCst) {
            return Ok(());
        }
        let because = self.because.lock().unwrap_or_else(PoisonError::into_inner);
        Err(PortError::unavailable(Silent(because.clone())))
    }

    /// Refuses calls from now on, for that reason: words that may stand in a log. `true` for whoever is first to notice, who must see
    /// to the looking.
    pub fn open(&self, because: impl Into<String>) -> bool {
        *self.because.lock().unwrap_or_else(PoisonError::into_inner) = because.into();
        !self.is_open.swap(true, Ordering::SeqCst)
    }

    /// Lets calls through again.
    pub fn close(&self) {
        self.is_open.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_those_who_notice_looks_and_calls_pass_again_afterwards() {
        let breaker = Breaker::default();
        assert!(breaker.check().is_ok());
        assert!(breaker.open("no answer in time"));
        assert!(!breaker.open("no connection"));
        let refused = breaker.check().unwrap_err();
        assert!(matches!(refused, PortError::Unavailable { retry: true, .. }));
        assert!(refused.to_string().contains("no connection"), "{refused}");
        breaker.close();
        assert!(breaker.check().is_ok());
        assert!(breaker.open("again"), "the next outage is noticed as well");
    }
}
