//! Users as they were a moment ago.
//!
//! What was written through this store is known at once: a key is forgotten when a write of it ends, however it ends, and before
//! anybody hears of it. Whoever read the user before that moment must not put it back: a reader takes a [`Ticket`] first, and
//! [`Recent::keep`] looks whether the key was forgotten since.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::id::UserKey;
use domain::user::User;

/// Counters of forgettings. A key shares its counter with others, which costs them a read now and then.
const SLOTS: usize = 1024;

/// What is older is of no use to anybody who asks for something recent.
const OLDEST: Duration = Duration::from_secs(10);

/// What is counted for the fields of a user beside those whose length is looked at.
const FIXED_WEIGHT: usize = 1_000;

/// How often a key's slot had been forgotten when a read of it began, and when that was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    forgettings: u64,
    began: Instant,
}

#[derive(Clone)]
struct Seen {
    user: Arc<User>,
    at: Instant,
}

/// A bounded cache of users.
pub(crate) struct Recent {
    users: moka::sync::Cache<UserKey, Seen>,
    hasher: RandomState,
    forgettings: Box<[Mutex<u64>]>,
}

impl Recent {
    /// A cache of so many bytes.
    pub fn new(bytes: u64) -> Self {
        let weigher = |_: &UserKey, seen: &Seen| u32::try_from(weight(&seen.user)).unwrap_or(u32::MAX);
        Self {
            users: moka::sync::Cache::builder()
                .max_capacity(bytes)
                .weigher(weigher)
                .time_to_live(OLDEST)
                .build(),
            hasher: RandomState::new(),
            forgettings: (0..SLOTS).map(|_| Mutex::new(0)).collect(),
        }
    }

    /// The user as they were within the last `at_most`, if that is known here.
    pub fn get(&self, key: &UserKey, at_most: Duration) -> Option<User> {
        let seen = self.users.get(key)?;
        (seen.at.elapsed() <= at_most).then(|| User::clone(&seen.user))
    }

    /// Begins a read.
    pub fn ticket(&self, key: &UserKey) -> Ticket {
        Ticket {
            forgettings: self.slot(key).map_or(0, |forgettings| *forgettings),
            began: Instant::now(),
        }
    }

    /// Ends a read: keeps the user unless they were written meanwhile.
    pub fn keep(&self, key: &UserKey, ticket: Ticket, user: &User) {
        let seen = Seen {
            user: Arc::new(user.clone()),
            at: ticket.began,
        };
        // Held while inserting: nobody forgets between the comparison and the insertion.
        if self
            .slot(key)
            .is_some_and(|forgettings| *forgettings == ticket.forgettings)
        {
            self.users.insert(key.clone(), seen);
        }
    }

    /// Something that forgets the key when it is dropped: part of every write.
    pub fn forgetting(self: &Arc<Self>, key: &UserKey) -> Forgetting {
        Forgetting {
            recent: Arc::clone(self),
            key: key.clone(),
        }
    }

    fn forget(&self, key: &UserKey) {
        if let Some(mut forgettings) = self.slot(key) {
            *forgettings = forgettings.wrapping_add(1);
            self.users.invalidate(key);
        }
    }

    fn slot(&self, key: &UserKey) -> Option<MutexGuard<'_, u64>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % SLOTS as u64).unwrap_or(0);
        let slot = self.forgettings.get(hash)?;
        Some(slot.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Forgets a user when dropped.
pub(crate) struct Forgetting {
    recent: Arc<Recent>,
    key: UserKey,
}

impl Drop for Forgetting {
    fn drop(&mut self) {
        self.recent.forget(&self.key);
    }
}

/// Attributes and links are most of a large user. Their JSON is a little smaller than what they take in memory.
fn weight(user: &User) -> usize {
    let attributes = user.attributes.as_map();
    let lists = [
        json_length(attributes, attributes.is_empty()),
        json_length(&*user.identities, user.identities.is_empty()),
        json_length(&*user.credentials, user.credentials.is_empty()),
    ];
    FIXED_WEIGHT + lists.iter().sum::<usize>() * 4
}

fn json_length(json: &impl serde::Serialize, is_empty: bool) -> usize {
    if is_empty {
        return 0;
    }
    serde_json::to_vec(json).map_or(0, |json| json.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::sample::{blank, key};

    const LONG: Duration = Duration::from_secs(5);

    fn recent() -> (Arc<Recent>, User) {
        (Arc::new(Recent::new(1_000_000)), blank(&key("Users", "1")))
    }

    #[test]
    fn a_user_is_known_until_too_old_or_forgotten() {
        let (recent, ann) = recent();
        recent.keep(&ann.key, recent.ticket(&ann.key), &ann);
        assert_eq!(recent.get(&ann.key, LONG).as_ref(), Some(&ann));
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(recent.get(&ann.key, Duration::from_millis(4)), None);
        assert_eq!(recent.get(&ann.key, LONG).as_ref(), Some(&ann));
        drop(recent.forgetting(&ann.key));
        assert_eq!(recent.get(&ann.key, LONG), None);
    }

    #[test]
    fn the_age_of_an_answer_counts_from_the_question() {
        let (recent, ann) = recent();
        let ticket = recent.ticket(&ann.key);
        std::thread::sleep(Duration::from_millis(5));
        recent.keep(&ann.key, ticket, &ann);
        assert_eq!(recent.get(&ann.key, Duration::from_millis(4)), None);
    }

    #[test]
    fn what_was_read_before_a_write_ended_is_not_kept() {
        let (recent, ann) = recent();
        let ticket = recent.ticket(&ann.key);
        drop(recent.forgetting(&ann.key));
        recent.keep(&ann.key, ticket, &ann);
        assert_eq!(recent.get(&ann.key, LONG), None);
    }
}
