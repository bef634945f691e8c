//! What was ended in this process a moment ago, for adapters whose store answers from afar: an answer that was on its way when the
//! session ended must not be given.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::id::{SessionId, UserKey};
use crate::secret::TokenHash;
use crate::session::Session;

/// Endings remembered. A question that was on its way for longer than it takes to forget that many is asked again.
const REMEMBERED: usize = 4096;

/// What was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// One session.
    Session(TokenHash),
    /// All sessions of a user but one.
    SessionsOf {
        /// Whose.
        user: UserKey,
        /// The one that lives on.
        spare: Option<SessionId>,
    },
}

/// The moment a question was asked, counted in endings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AskedAt(u64);

/// Whether an answer may still be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Nothing that concerns it was ended since.
    Nothing,
    /// It was ended since.
    Ended,
    /// Too much was ended since to remember: ask again.
    Forgotten,
}

/// The endings of this process, newest last. Bounded, without a clock.
#[derive(Debug, Default)]
pub struct Endings {
    /// How many there were; read without the lock, since hardly any question meets an ending.
    count: AtomicU64,
    recent: Mutex<VecDeque<Ending>>,
}

impl Endings {
    /// Call before asking the store for a session.
    pub fn ask(&self) -> AskedAt {
        AskedAt(self.count.load(Ordering::SeqCst))
    }

    /// Call once the store has ended something, before telling anybody.
    pub fn record(&self, ending: Ending) {
        let mut recent = self.recent();
        if recent.len() == REMEMBERED {
            recent.pop_front();
        }
        recent.push_back(ending);
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// Judges an answer of the store to a question of `asked`.
    pub fn since(&self, asked: AskedAt, session: &Session) -> Since {
        if self.ask() == asked {
            return Since::Nothing;
        }
        let recent = self.recent();
        let missed = self.ask().0.saturating_sub(asked.0);
        let Ok(missed) = usize::try_from(missed) else {
            return Since::Forgotten;
        };
        if missed > recent.len() {
            return Since::Forgotten;
        }
        if recent
            .iter()
            .rev()
            .take(missed)
            .any(|ending| ending.concerns(session))
        {
            Since::Ended
        } else {
            Since::Nothing
        }
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<Ending>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ending {
    fn concerns(&self, session: &Session) -> bool {
        match self {
            Self::Session(token) => *token == session.token,
            Self::SessionsOf { user, spare } => *user == session.user && spare.as_ref() != Some(&session.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{PoolName, UserId};
    use crate::secret::Token;
    use crate::session::TokenLife;
    use crate::time::Timestamp;
    use crate::user::SessionEpoch;

    fn ann() -> UserKey {
        UserKey::new(PoolName::new("Users"), UserId::new("ann"))
    }

    fn session(name: &str) -> Session {
        Session {
            id: SessionId::new(name),
            token: Token::presented(name).hash(),
            user: ann(),
            epoch: SessionEpoch::default(),
            created: Timestamp::from_millis(0),
            life: TokenLife::Eternal,
            factors: Vec::new(),
            proven: Timestamp::from_millis(0),
            last_used: None,
            idle: None,
            agent: None,
            address: None,
            refresh: None,
            federated: None,
            impersonator: None,
        }
    }

    #[test]
    fn an_answer_on_its_way_when_its_session_ended_is_not_given() {
        let endings = Endings::default();
        let asked = endings.ask();
        assert_eq!(endings.since(asked, &session("a")), Since::Nothing);
        endings.record(Ending::Session(session("a").token));
        assert_eq!(endings.since(asked, &session("a")), Since::Ended);
        assert_eq!(endings.since(asked, &session("b")), Since::Nothing);
        assert_eq!(endings.since(endings.ask(), &session("a")), Since::Nothing);
    }

    #[test]
    fn ending_all_spares_one_session_and_other_users() {
        let endings = Endings::default();
        let asked = endings.ask();
        let spare = Some(session("mine").id);
        endings.record(Ending::SessionsOf { user: ann(), spare });
        assert_eq!(endings.since(asked, &session("mine")), Since::Nothing);
        assert_eq!(endings.since(asked, &session("other")), Since::Ended);
        let bobs = Session {
            user: UserKey::new(PoolName::new("Users"), UserId::new("bob")),
            ..session("other")
        };
        assert_eq!(endings.since(asked, &bobs), Since::Nothing);
    }

    #[test]
    fn a_question_older_than_the_memory_is_asked_again() {
        let endings = Endings::default();
        let asked = endings.ask();
        for number in 0..=REMEMBERED {
            let other = session(&format!("other {number}"));
            endings.record(Ending::Session(other.token));
        }
        assert_eq!(endings.since(asked, &session("a")), Since::Forgotten);
        assert_eq!(endings.since(endings.ask(), &session("a")), Since::Nothing);
    }
}
