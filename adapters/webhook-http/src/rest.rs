//! A service that does not answer is left alone for a while: each try would take hands from the others for as long as it is waited for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long one is left alone.
const REST: Duration = Duration::from_secs(10);

/// How a service was, last time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// It answered, whatever it said.
    #[default]
    Answers,
    /// It did not: nobody tries until then.
    Rests(Instant),
    /// Somebody tries whether it does again.
    Tried,
}

/// Who may try, and who may not.
#[derive(Debug, Default)]
pub(crate) struct Rest(Mutex<State>);

impl Rest {
    /// Whether it may be asked now. Of those who come behind a rest one may, until it is known how that went.
    fn admits(&self, now: Instant) -> bool {
        let mut state = self.locked();
        match *state {
            State::Answers => true,
            State::Rests(until) if until <= now => {
                *state = State::Tried;
                true
            }
            State::Rests(_) | State::Tried => false,
        }
    }

    /// How it went with somebody who was admitted.
    fn was(&self, answered: bool, now: Instant) {
        *self.locked() = if answered {
            State::Answers
        } else {
            State::Rests(now + REST)
        };
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who was admitted. Whoever goes away without a word counts as one who heard nothing.
#[derive(Debug)]
pub(crate) struct Admitted<'a> {
    rest: &'a Rest,
    told: bool,
}

impl<'a> Admitted<'a> {
    /// Whoever may try now; none during a rest.
    pub fn by(rest: &'a Rest) -> Option<Self> {
        rest.admits(Instant::now()).then_some(Self { rest, told: false })
    }

    /// Whether there was an answer.
    pub fn was(mut self, answered: bool) {
        self.told = true;
        self.rest.was(answered, Instant::now());
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if !self.told {
            self.rest.was(false, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_is_left_alone_and_then_tried_by_one() {
        let (rest, now) = (Rest::default(), Instant::now());
        assert!(rest.admits(now) && rest.admits(now), "as many as like");
        rest.was(false, now);
        assert!(!rest.admits(now) && !rest.admits(now + REST / 2));
        let later = now + REST;
        assert!(rest.admits(later) && !rest.admits(later), "one alone");
        rest.was(false, later);
        assert!(!rest.admits(later));
        assert!(rest.admits(later + REST));
        rest.was(true, later + REST);
        assert!(rest.admits(later + REST) && rest.admits(later + REST));
    }

    #[test]
    fn who_goes_away_without_a_word_leaves_no_door_shut_for_ever() {
        let rest = Rest::default();
        drop(Admitted::by(&rest));
        assert!(Admitted::by(&rest).is_none(), "as if there had been no answer");
        assert!(rest.admits(Instant::now() + REST));
    }
}
