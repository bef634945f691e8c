//! What was read a moment ago.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Counters of forgettings. A key shares its counter with others, which costs them a read now and then.
const SLOTS: usize = 1024;

/// The moment before a question was sent, and how often its key's slot had been forgotten by then.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    forgettings: u64,
    asked: Instant,
}

#[derive(Clone)]
struct Seen<V> {
    value: V,
    asked: Instant,
}

/// A bounded memory. Values are cloned out of it: what is large belongs into an `Arc`.
pub struct Recent<K, V> {
    rows: moka::sync::Cache<K, Seen<V>>,
    hasher: RandomState,
    forgettings: Box<[Mutex<u64>]>,
}

impl<K, V> Recent<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A memory of so many bytes by `weigh`, that gives room to others after `longest`.
    pub fn new(bytes: u64, longest: Duration, weigh: fn(&V) -> usize) -> Self {
        let weigher = move |_: &K, seen: &Seen<V>| u32::try_from(weigh(&seen.value)).unwrap_or(u32::MAX);
        Self {
            rows: moka::sync::Cache::builder()
                .max_capacity(bytes)
                .weigher(weigher)
                .time_to_live(longest)
                .build(),
            hasher: RandomState::new(),
            forgettings: (0..SLOTS).map(|_| Mutex::new(0)).collect(),
        }
    }

    /// What was true within the last `at_most`, if that is known here.
    pub fn get(&self, key: &K, at_most: Duration) -> Option<V> {
        let seen = self.rows.get(key)?;
        (seen.asked.elapsed() < at_most).then_some(seen.value)
    }

    /// Take one before asking the store.
    pub fn ticket(&self, key: &K) -> Ticket {
        Ticket {
            forgettings: self.slot(key).map_or(0, |forgettings| *forgettings),
            asked: Instant::now(),
        }
    }

    /// Keeps an answer, unless its key was forgotten since the ticket was taken.
    pub fn keep(&self, key: &K, ticket: Ticket, value: V) {
        let seen = Seen {
            value,
            asked: ticket.asked,
        };
        // Held while inserting: nobody forgets between the comparison and the insertion.
        let slot = self.slot(key);
        if slot
            .as_deref()
            .is_some_and(|forgettings| *forgettings == ticket.forgettings)
        {
            self.rows.insert(key.clone(), seen);
        }
    }

    /// Forgets a key, and every answer about it that is on its way.
    pub fn forget(&self, key: &K) {
        if let Some(mut forgettings) = self.slot(key) {
            *forgettings = forgettings.wrapping_add(1);
            self.rows.invalidate(key);
        }
    }

    /// Something that forgets the key when it is dropped: part of a write.
    pub fn forgetting(self: &Arc<Self>, key: &K) -> Forgetting<K, V> {
        Forgetting {
            recent: Arc::clone(self),
            key: key.clone(),
        }
    }

    fn slot(&self, key: &K) -> Option<MutexGuard<'_, u64>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % SLOTS as u64).unwrap_or(0);
        let slot = self.forgettings.get(hash)?;
        Some(slot.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Forgets a key when dropped.
pub struct Forgetting<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    recent: Arc<Recent<K, V>>,
    key: K,
}

impl<K, V> Drop for Forgetting<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn drop(&mut self) {
        self.recent.forget(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weight_of_user;
    use conformance::sample::{blank, key};
    use domain::id::UserKey;
    use domain::user::User;

    const LONG: Duration = Duration::from_secs(5);

    fn recent() -> (Arc<Recent<UserKey, Arc<User>>>, Arc<User>) {
        let recent = Recent::new(1_000_000, LONG * 2, |user: &Arc<User>| weight_of_user(user));
        (Arc::new(recent), Arc::new(blank(&key("Users", "1"))))
    }

    #[test]
    fn a_value_is_known_until_too_old_or_forgotten() {
        let (recent, ann) = recent();
        recent.keep(&ann.key, recent.ticket(&ann.key), Arc::clone(&ann));
        assert_eq!(recent.get(&ann.key, LONG).as_ref(), Some(&ann));
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(recent.get(&ann.key, Duration::from_millis(4)), None);
        assert_eq!(recent.get(&ann.key, Duration::ZERO), None);
        assert_eq!(recent.get(&ann.key, LONG).as_ref(), Some(&ann));
        drop(recent.forgetting(&ann.key));
        assert_eq!(recent.get(&ann.key, LONG), None);
    }

    #[test]
    fn the_age_of_an_answer_counts_from_the_question() {
        let (recent, ann) = recent();
        let ticket = recent.ticket(&ann.key);
        std::thread::sleep(Duration::from_millis(5));
        recent.keep(&ann.key, ticket, Arc::clone(&ann));
        assert_eq!(recent.get(&ann.key, Duration::from_millis(4)), None);
    }

    #[test]
    fn an_answer_on_its_way_when_its_key_was_forgotten_is_not_kept() {
        let (recent, ann) = recent();
        let ticket = recent.ticket(&ann.key);
        recent.forget(&ann.key);
        recent.keep(&ann.key, ticket, Arc::clone(&ann));
        assert_eq!(recent.get(&ann.key, LONG), None);
        recent.keep(&ann.key, recent.ticket(&ann.key), Arc::clone(&ann));
        assert_eq!(recent.get(&ann.key, LONG), Some(ann));
    }

    #[test]
    fn the_memory_is_bounded() {
        let recent: Recent<UserKey, User> = Recent::new(10_000, LONG, weight_of_user);
        for number in 0..1_000 {
            let user = blank(&key("Users", &number.to_string()));
            recent.keep(&user.key, recent.ticket(&user.key), user.clone());
        }
        recent.rows.run_pending_tasks();
        assert!(recent.rows.weighted_size() <= 10_000);
    }
}
