//! Whether the database answers. After the first call that got no answer the others are refused at once instead of waiting as
//! long, until a look of our own finds it well again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::ports::PortError;

/// Time between two looks.
pub(crate) const LOOKS: Duration = Duration::from_millis(200);

/// Open while nobody answers.
#[derive(Debug, Default)]
pub(crate) struct Breaker(AtomicBool);

/// What a refused call is told.
#[derive(Debug, thiserror::Error)]
#[error("the database does not answer; asked again every {} ms", LOOKS.as_millis())]
struct Silent;

impl Breaker {
    /// # Errors
    /// [`PortError::Unavailable`] while nobody answers.
    pub fn check(&self) -> Result<(), PortError> {
        if self.0.load(Ordering::SeqCst) {
            Err(PortError::unavailable(Silent))
        } else {
            Ok(())
        }
    }

    /// Refuses from now on. `true` for whoever is first to notice, who must see to the looking.
    pub fn trip(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }

    /// Lets calls through again.
    pub fn mend(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_those_who_notice_looks_and_calls_pass_again_afterwards() {
        let breaker = Breaker::default();
        assert!(breaker.check().is_ok());
        assert!(breaker.trip());
        assert!(!breaker.trip());
        let refused = breaker.check();
        assert!(matches!(refused, Err(PortError::Unavailable { retry: true, .. })));
        breaker.mend();
        assert!(breaker.check().is_ok());
        assert!(breaker.trip(), "the next outage is noticed as well");
    }
}
