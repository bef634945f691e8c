//! What a case runs against.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::id::UserKey;
use domain::ports::UserStore;

use crate::sample;

/// How much longer than it said a store may take to forget: it shares the machine with other tests.
const SLACK: Duration = Duration::from_secs(15);

/// A port of one case's own, with whatever must live as long as it does.
pub struct Fixture<P: ?Sized> {
    /// The adapter under test, fresh and empty.
    pub port: Arc<P>,
    users: Option<Arc<dyn UserStore>>,
    guard: Option<Box<dyn Any + Send + Sync>>,
    grace: Option<Duration>,
}

impl<P: ?Sized> Fixture<P> {
    /// A fixture of an adapter that needs nothing else.
    pub fn new(port: Arc<P>) -> Self {
        Self {
            port,
            users: None,
            guard: None,
            grace: None,
        }
    }

    /// The store whose users the port's records must belong to, for adapters that insist on it.
    #[must_use]
    pub fn with_users(self, users: Arc<dyn UserStore>) -> Self {
        Self {
            users: Some(users),
            ..self
        }
    }

    /// Declares that the store drops by itself what is void: counted by its own clock from the moment of writing, never early, and
    /// `grace` after the end of a life at the latest. Its `purge` then has nothing to do and says zero, which the cases assert.
    #[must_use]
    pub fn forgetting_by_itself(self, grace: Duration) -> Self {
        Self {
            grace: Some(grace),
            ..self
        }
    }

    /// Whether the store drops by itself what is void.
    pub fn forgets_by_itself(&self) -> bool {
        self.grace.is_some()
    }

    /// What a purge must say that finds `void` void records.
    pub fn purged(&self, void: u64) -> u64 {
        if self.forgets_by_itself() { 0 } else { void }
    }

    /// Watches a record that lives for `life` and was written after `written`. It must be there until its life is over; where the
    /// store forgets by itself, it must be gone soon after.
    pub(crate) async fn watch(&self, written: Instant, life: Duration, is_there: impl AsyncFn() -> bool) {
        loop {
            let there = is_there().await;
            let age = written.elapsed();
            if !there {
                assert!(self.forgets_by_itself(), "gone without a purge");
                assert!(age >= life, "gone after {age:?} of {life:?}");
                return;
            }
            match self.grace {
                None if age > life => return,
                Some(grace) if age > life + grace + SLACK => panic!("still there after {age:?}"),
                _ => tokio::time::sleep(Duration::from_millis(25)).await,
            }
        }
    }

    /// Something to drop after the port: a directory, a schema, a server.
    #[must_use]
    pub fn guarded_by(self, guard: impl Any + Send + Sync) -> Self {
        Self {
            guard: Some(Box::new(guard)),
            ..self
        }
    }

    /// Whether something is dropped after the port.
    pub fn is_guarded(&self) -> bool {
        self.guard.is_some()
    }

    /// A user to own records; made in the user store if the port needs one.
    pub async fn owner(&self, pool: &str, id: &str) -> UserKey {
        let key = sample::key(pool, id);
        if let Some(users) = &self.users {
            users
                .create(&sample::blank(&key))
                .await
                .expect("the owner is made");
        }
        key
    }
}
