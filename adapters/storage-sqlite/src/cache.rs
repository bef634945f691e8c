//! The read cache of the token path.
//!
//! The file is ours alone, so what is in memory can be as good as what is on disk, if two rules hold. A key is forgotten after
//! the commit that changed it and before anybody hears of that commit. And whoever read the row before that moment must neither
//! put it into the cache nor answer with it: a reader takes a [`Ticket`] before it reads, and [`Cache::settle`] tells it whether
//! the key was forgotten meanwhile.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::access::AccessState;
use domain::id::UserKey;
use domain::secret::TokenHash;
use domain::session::Session;
use domain::user::User;
use serde::Serialize;

use crate::config::SqliteConfig;

/// Counters of forgettings. A key shares its counter with others, which costs them a second read now and then and keeps the
/// number of counters fixed.
const SLOTS: usize = 1024;

/// How often a key's slot had been forgotten when a read of it began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(u64);

/// A bounded cache of rows.
pub(crate) struct Cache<K, V> {
    rows: moka::sync::Cache<K, Arc<V>>,
    hasher: RandomState,
    forgettings: Box<[Mutex<u64>]>,
}

impl<K, V> Cache<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A cache of so many bytes, where `weigh` says how many a row takes.
    pub fn new(bytes: u64, weigh: fn(&V) -> usize) -> Self {
        let weigher = move |_: &K, row: &Arc<V>| u32::try_from(weigh(row)).unwrap_or(u32::MAX);
        Self {
            rows: moka::sync::Cache::builder()
                .max_capacity(bytes)
                .weigher(weigher)
                .build(),
            hasher: RandomState::new(),
            forgettings: (0..SLOTS).map(|_| Mutex::new(0)).collect(),
        }
    }

    /// The row, if it is here. Takes no lock and no thread.
    pub fn get(&self, key: &K) -> Option<V> {
        self.rows.get(key).map(|row| V::clone(&row))
    }

    /// Begins a read of a row that is not here.
    pub fn ticket(&self, key: &K) -> Ticket {
        Ticket(self.slot(key).map_or(0, |forgettings| *forgettings))
    }

    /// Ends a read: keeps the row and says `true`, or says `false` when it may be out of date and must be read again.
    pub fn settle(&self, key: &K, ticket: Ticket, row: Option<&V>) -> bool {
        let row = row.map(|row| Arc::new(row.clone()));
        // Held while inserting: nobody forgets between the comparison and the insertion.
        let slot = self.slot(key);
        let is_current = slot.as_deref().is_some_and(|now| *now == ticket.0);
        if let Some(row) = row.filter(|_| is_current) {
            self.rows.insert(key.clone(), row);
        }
        is_current
    }

    /// Forgets a row that was changed, and every read of it that is under way.
    pub fn forget(&self, key: &K) {
        if let Some(mut forgettings) = self.slot(key) {
            *forgettings = forgettings.wrapping_add(1);
            self.rows.invalidate(key);
        }
    }

    fn slot(&self, key: &K) -> Option<MutexGuard<'_, u64>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % SLOTS as u64).unwrap_or(0);
        let slot = self.forgettings.get(hash)?;
        Some(slot.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The cached rows of each kind.
pub(crate) struct Caches {
    pub sessions: Cache<TokenHash, Session>,
    pub users: Cache<UserKey, User>,
    /// Roles and rules, one record: every judged call asks whether it is still the one it knows.
    pub access: Cache<(), Arc<AccessState>>,
}

impl Caches {
    pub fn new(config: &SqliteConfig) -> Self {
        Self {
            sessions: Cache::new(config.session_cache_bytes, |session| {
                let agent = session.agent.as_ref().map_or(0, |agent| agent.as_str().len());
                500 + session.user.id.as_str().len() + agent
            }),
            users: Cache::new(config.user_cache_bytes, weight_of_user),
            access: Cache::new(1, |_| 1),
        }
    }

    /// Forgets everything a batch of writes touched.
    pub fn forget(&self, touched: &Touched) {
        for token in &touched.sessions {
            self.sessions.forget(token);
        }
        for key in &touched.users {
            self.users.forget(key);
        }
        if touched.access {
            self.access.forget(&());
        }
    }
}

/// Attributes, links and factors are most of a large user. Their JSON is a little smaller than what they take in memory.
fn weight_of_user(user: &User) -> usize {
    let attributes = length_of(user.attributes.as_map());
    let links = length_of_list(&user.identities) + length_of_list(&user.credentials);
    let factors = if user.factors.is_empty() {
        0
    } else {
        length_of(&*user.factors)
    };
    1_000 + (attributes + links + factors + length_of_list(&user.devices)) * 4
}

fn length_of(json: &impl Serialize) -> usize {
    serde_json::to_vec(json).map_or(0, |json| json.len())
}

fn length_of_list<T: Serialize>(list: &[T]) -> usize {
    if list.is_empty() { 0 } else { length_of(&list) }
}

/// Rows that a transaction changed, or tried to.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    pub sessions: Vec<TokenHash>,
    pub users: Vec<UserKey>,
    pub access: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    fn cache() -> Cache<u32, u64> {
        Cache::new(1_000_000, |_| 1)
    }

    #[test]
    fn a_row_that_was_read_before_it_was_forgotten_is_neither_kept_nor_answered() {
        let cache = cache();
        let ticket = cache.ticket(&1);
        cache.forget(&1);
        assert!(!cache.settle(&1, ticket, Some(&7)));
        assert_eq!(cache.get(&1), None);
    }

    #[test]
    fn an_absence_that_was_read_before_it_was_forgotten_is_not_answered() {
        let cache = cache();
        let ticket = cache.ticket(&1);
        cache.forget(&1);
        assert!(!cache.settle(&1, ticket, None));
        assert!(cache.settle(&1, cache.ticket(&1), None));
    }

    #[test]
    fn a_settled_row_is_there_until_it_is_forgotten() {
        let cache = cache();
        assert!(cache.settle(&1, cache.ticket(&1), Some(&7)));
        assert_eq!(cache.get(&1), Some(7));
        cache.forget(&1);
        assert_eq!(cache.get(&1), None);
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache: Cache<u32, u64> = Cache::new(100, |_| 10);
        for key in 0..1_000 {
            cache.settle(&key, cache.ticket(&key), Some(&7));
        }
        cache.rows.run_pending_tasks();
        assert!(cache.rows.weighted_size() <= 100);
    }

    /// A writer that counts a row up, and readers that go through the cache as the ports do. Once the writer has forgotten a
    /// value, no read that begins afterwards may see an older one.
    #[test]
    fn no_reader_brings_an_old_row_back_under_hammering() {
        const KEY: u32 = 1;
        let cache = cache();
        let (row, acknowledged, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        let at_least = acknowledged.load(Ordering::SeqCst);
                        let seen = loop {
                            if let Some(seen) = cache.get(&KEY) {
                                break seen;
                            }
                            let ticket = cache.ticket(&KEY);
                            let read = row.load(Ordering::SeqCst);
                            std::thread::yield_now();
                            if cache.settle(&KEY, ticket, Some(&read)) {
                                break read;
                            }
                        };
                        assert!(seen >= at_least, "saw {seen} after {at_least} was acknowledged");
                    }
                });
            }
            for value in 1..30_000 {
                row.store(value, Ordering::SeqCst);
                cache.forget(&KEY);
                acknowledged.store(value, Ordering::SeqCst);
                if value % 64 == 0 {
                    std::thread::yield_now();
                }
            }
            done.store(true, Ordering::SeqCst);
        });
    }
}
