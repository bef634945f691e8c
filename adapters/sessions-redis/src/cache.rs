//! Sessions in this process, for as long as Redis is known to tell what changes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::secret::TokenHash;
use domain::session::Session;
use moka::sync::Cache;

/// Locks and counters of what was forgotten, by token.
const STRIPES: usize = 256;
/// How long an entry is kept at most. Redis says when a session is deleted, but of one that expires only when it comes across it.
const LONGEST: Duration = Duration::from_secs(10);

/// A session and the generation it was read in.
type Entry = (u64, Session);

/// What a read must show when it comes to fill the cache: that nothing was forgotten meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    generation: u64,
    forgotten: u64,
}

/// Sessions by token.
pub(crate) struct SessionCache {
    sessions: Cache<TokenHash, Entry>,
    /// How often something of each stripe was forgotten.
    stripes: Vec<Mutex<u64>>,
    spare: Mutex<u64>,
    /// Entries of earlier generations are worth nothing.
    generation: AtomicU64,
}

impl SessionCache {
    pub fn new(bytes: u64) -> Self {
        let weigh = |_: &TokenHash, (_, session): &Entry| {
            // The fixed part is about what an entry takes beside its texts.
            let texts =
                session.id.as_str().len() + session.user.id.as_str().len() + session.user.pool.as_str().len();
            u32::try_from(400 + texts).unwrap_or(u32::MAX)
        };
        Self {
            sessions: Cache::builder()
                .max_capacity(bytes)
                .weigher(weigh)
                .time_to_live(LONGEST)
                .build(),
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
            spare: Mutex::default(),
            generation: AtomicU64::new(0),
        }
    }

    /// A session that was read and not forgotten since.
    pub fn get(&self, token: &TokenHash) -> Option<Session> {
        let (generation, session) = self.sessions.get(token)?;
        (generation == self.generation()).then_some(session)
    }

    /// Call before a read is sent.
    pub fn ticket(&self, token: &TokenHash) -> Ticket {
        Ticket {
            generation: self.generation(),
            forgotten: *self.stripe(token),
        }
    }

    /// Keeps what was read, if nothing of its stripe was forgotten since the ticket was drawn.
    pub fn fill(&self, ticket: Ticket, session: &Session) {
        let forgotten = self.stripe(&session.token);
        if ticket.forgotten == *forgotten && ticket.generation == self.generation() {
            self.sessions
                .insert(session.token, (ticket.generation, session.clone()));
        }
    }

    /// Forgets a session, and every read of it that is on its way.
    pub fn forget(&self, token: &TokenHash) {
        let mut forgotten = self.stripe(token);
        *forgotten += 1;
        self.sessions.invalidate(token);
    }

    /// Forgets everything, and every read that is on its way.
    pub fn clear(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.sessions.invalidate_all();
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn stripe(&self, token: &TokenHash) -> MutexGuard<'_, u64> {
        let [first, ..] = *token.as_bytes();
        // There are as many stripes as a byte has values.
        let stripe = self.stripes.get(usize::from(first)).unwrap_or(&self.spare);
        stripe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conformance::sample;

    fn session() -> Session {
        sample::session(&sample::key("Users", "ann"), "a")
    }

    #[test]
    fn what_was_read_is_kept() {
        let (cache, session) = (SessionCache::new(1 << 20), session());
        let ticket = cache.ticket(&session.token);
        cache.fill(ticket, &session);
        assert_eq!(cache.get(&session.token), Some(session));
    }

    #[test]
    fn a_read_on_its_way_does_not_bring_back_what_was_forgotten_meanwhile() {
        let (cache, session) = (SessionCache::new(1 << 20), session());
        let ticket = cache.ticket(&session.token);
        cache.forget(&session.token);
        cache.fill(ticket, &session);
        assert_eq!(cache.get(&session.token), None);
    }

    #[test]
    fn nothing_of_an_earlier_generation_is_given() {
        let (cache, session) = (SessionCache::new(1 << 20), session());
        let early = cache.ticket(&session.token);
        cache.fill(early, &session);
        cache.clear();
        assert_eq!(cache.get(&session.token), None);
        cache.fill(early, &session);
        assert_eq!(cache.get(&session.token), None);
    }
}
