//! What is kept in memory: users for a moment, for callers who may be told what was true within the last half second, and sessions
//! likewise.
//!
//! Three rules make a user's copy as good as promised. Its age counts from before the question was sent. It is forgotten once a
//! write of this node was made and before anybody hears of that write. And an answer that was on its way when it was forgotten is
//! not kept: whoever asks takes a [`Ticket`] first, and [`Users::keep`] compares it. Sessions need no tickets: the endings of this
//! node tell whether a copy still holds.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::endings::AskedAt;
use domain::id::UserKey;
use domain::secret::TokenHash;
use domain::session::Session;
use domain::user::User;
use serde::Serialize;

/// Counters of forgettings. A user shares one with others, which costs an answer its place in memory now and then.
const SLOTS: usize = 1024;
/// Half of the second within which an ending holds on every node.
const SESSION_AGE: Duration = Duration::from_millis(500);

/// The moment before a question was sent, and how much had been forgotten by then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    asked: Instant,
    forgettings: u64,
}

/// Users as they were a moment ago.
pub(crate) struct Users {
    rows: moka::sync::Cache<UserKey, Arc<(Instant, User)>>,
    hasher: RandomState,
    forgettings: Box<[Mutex<u64>]>,
}

impl Users {
    /// A cache of so many bytes.
    pub fn new(bytes: u64) -> Self {
        let weigh =
            |_: &UserKey, row: &Arc<(Instant, User)>| u32::try_from(weight(&row.1)).unwrap_or(u32::MAX);
        Self {
            rows: moka::sync::Cache::builder()
                .max_capacity(bytes)
                .weigher(weigh)
                .build(),
            hasher: RandomState::new(),
            forgettings: (0..SLOTS).map(|_| Mutex::new(0)).collect(),
        }
    }

    /// The user as they were within the last `at_most`.
    pub fn recent(&self, key: &UserKey, at_most: Duration) -> Option<User> {
        let row = self.rows.get(key)?;
        (row.0.elapsed() < at_most).then(|| row.1.clone())
    }

    /// Take one before asking the database.
    pub fn ticket(&self, key: &UserKey) -> Ticket {
        Ticket {
            asked: Instant::now(),
            forgettings: self.slot(key).map_or(0, |slot| *slot),
        }
    }

    /// Keeps an answer, unless the user was forgotten since the ticket was taken.
    pub fn keep(&self, ticket: Ticket, user: &User) {
        let row = Arc::new((ticket.asked, user.clone()));
        // Held while inserting: nobody forgets between the comparison and the insertion.
        let slot = self.slot(&user.key);
        if slot.as_deref().is_some_and(|now| *now == ticket.forgettings) {
            self.rows.insert(user.key.clone(), row);
        }
    }

    /// Forgets a user, and every answer about them that is on its way.
    pub fn forget(&self, key: &UserKey) {
        if let Some(mut slot) = self.slot(key) {
            *slot = slot.wrapping_add(1);
            self.rows.invalidate(key);
        }
    }

    fn slot(&self, key: &UserKey) -> Option<MutexGuard<'_, u64>> {
        let number = usize::try_from(self.hasher.hash_one(key) % SLOTS as u64).unwrap_or(0);
        let slot = self.forgettings.get(number)?;
        Some(slot.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Attributes and links are most of a large user. Their JSON is a little smaller than what they take in memory.
fn weight(user: &User) -> usize {
    let lists =
        length(&user.identities, user.identities.len()) + length(&user.credentials, user.credentials.len());
    let attributes = user.attributes.as_map();
    1_000 + (length(attributes, attributes.len()) + lists) * 4
}

fn length(json: &(impl Serialize + ?Sized), entries: usize) -> usize {
    if entries == 0 {
        return 0;
    }
    serde_json::to_vec(json).map_or(0, |json| json.len())
}

/// A session and when it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// As it was.
    pub session: Arc<Session>,
    /// Before the database was asked, counted in endings.
    pub asked: AskedAt,
    at: Instant,
}

impl Seen {
    /// A session that was asked for at that moment.
    pub fn new(session: Session, asked: AskedAt, at: Instant) -> Self {
        Self {
            session: Arc::new(session),
            asked,
            at,
        }
    }
}

/// Sessions as they were within the last half second.
pub(crate) struct Sessions(moka::sync::Cache<TokenHash, Seen>);

impl Sessions {
    /// A cache of so many bytes.
    pub fn new(bytes: u64) -> Self {
        let weigh = |_: &TokenHash, seen: &Seen| {
            u32::try_from(500 + seen.session.user.id.as_str().len()).unwrap_or(u32::MAX)
        };
        Self(
            moka::sync::Cache::builder()
                .max_capacity(bytes)
                .weigher(weigh)
                .build(),
        )
    }

    /// What was seen of a session within the last half second.
    pub fn recent(&self, token: &TokenHash) -> Option<Seen> {
        self.0.get(token).filter(|seen| seen.at.elapsed() < SESSION_AGE)
    }

    /// Keeps what was seen.
    pub fn keep(&self, seen: Seen) {
        self.0.insert(seen.session.token, seen);
    }

    /// Forgets a session.
    pub fn forget(&self, token: &TokenHash) {
        self.0.invalidate(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{PoolName, UserId};
    use domain::time::Timestamp;

    const LONG: Duration = Duration::from_hours(1);

    fn ann() -> User {
        let key = UserKey::new(PoolName::new("Users"), UserId::new("ann"));
        User::blank(key, Timestamp::from_millis(0))
    }

    #[test]
    fn an_answer_on_its_way_when_its_user_was_forgotten_is_not_kept() {
        let users = Users::new(1_000_000);
        let ticket = users.ticket(&ann().key);
        users.forget(&ann().key);
        users.keep(ticket, &ann());
        assert_eq!(users.recent(&ann().key, LONG), None);
        users.keep(users.ticket(&ann().key), &ann());
        assert_eq!(users.recent(&ann().key, LONG), Some(ann()));
        users.forget(&ann().key);
        assert_eq!(users.recent(&ann().key, LONG), None);
    }

    #[test]
    fn age_counts_from_before_the_question() {
        let users = Users::new(1_000_000);
        let ticket = users.ticket(&ann().key);
        std::thread::sleep(Duration::from_millis(20));
        users.keep(ticket, &ann());
        assert_eq!(users.recent(&ann().key, Duration::from_millis(20)), None);
        assert_eq!(users.recent(&ann().key, Duration::ZERO), None);
    }

    #[test]
    fn the_cache_is_bounded() {
        let users = Users::new(10_000);
        for number in 0..1_000 {
            let key = UserKey::new(PoolName::new("Users"), UserId::new(number.to_string()));
            let user = User::blank(key, Timestamp::from_millis(0));
            users.keep(users.ticket(&user.key), &user);
        }
        users.rows.run_pending_tasks();
        assert!(users.rows.weighted_size() <= 10_000);
    }
}
