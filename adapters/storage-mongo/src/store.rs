//! The store: opening, closing, and the ways in that all ports share.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use domain::endings::Endings;
use domain::id::UserKey;
use domain::ports::PortError;
use domain::time::Timestamp;
use domain::user::User;
use store_guard::{Recent, weight_of_user};

use crate::config::MongoConfig;
use crate::connection::{Base, Link};
use crate::error::{Answer, OpenError};
use crate::migrate;

/// What is older is of no use to anybody who asks for something recent.
const OLDEST: Duration = Duration::from_secs(10);
/// Documents a purge removes at once, so that others get their turn in between.
const PURGED_AT_ONCE: usize = 500;

/// Users, sessions, flows, counters, tombstones, applications and audit events in one MongoDB database. Copies are the same store.
#[derive(Clone)]
pub struct MongoStore {
    link: Arc<Link>,
    pub(crate) recent: Arc<Recent<UserKey, Arc<User>>>,
    pub(crate) endings: Arc<Endings>,
    pub(crate) last_event: Arc<AtomicI64>,
}

impl MongoStore {
    /// Opens the database, waiting for it if it is not there yet, and brings its indexes up to date. Any number of processes may
    /// do so at once.
    ///
    /// # Errors
    /// [`OpenError`], each variant a sentence for the operator.
    pub async fn open(config: &MongoConfig) -> Result<Self, OpenError> {
        let link = Link::open(config).await?;
        migrate::bring_up_to_date(link.base()).await?;
        Ok(Self {
            link,
            recent: Arc::new(Recent::new(config.user_cache_bytes, OLDEST, |user| {
                weight_of_user(user)
            })),
            endings: Arc::default(),
            last_event: Arc::default(),
        })
    }

    /// Whether the database takes writes now.
    ///
    /// # Errors
    /// [`PortError::Unavailable`] when it does not, within the bound of every call.
    pub async fn ready(&self) -> Result<(), PortError> {
        self.link.ready().await
    }

    /// Finishes what is under way and lets the connections go. Every call is refused from now on.
    pub async fn close(&self) {
        self.link.close().await;
    }

    /// Does a piece of work on the database within the bounds of [`Link::call`].
    pub(crate) async fn run<T, W>(&self, work: impl FnOnce(Base) -> W) -> Result<T, PortError>
    where
        T: Send + 'static,
        W: Future<Output = Answer<T>> + Send + 'static,
    {
        self.link.call(work(self.link.base().clone())).await
    }

    /// Removes every document whose `field` is before `now`, a few at a time, and says how many.
    pub(crate) async fn purge_below(
        &self,
        collection: &'static str,
        field: &'static str,
        now: Timestamp,
    ) -> Result<u64, PortError> {
        let before = now.as_millis();
        let mut purged = 0;
        loop {
            let (found, removed) =
                self.run(move |base| async move {
                    base.drop_below(collection, field, before, PURGED_AT_ONCE).await
                })
                .await?;
            purged += removed;
            if found < PURGED_AT_ONCE {
                return Ok(purged);
            }
        }
    }
}

/// Runs several pieces of work to their end, whatever becomes of the caller.
pub(crate) async fn detach<T: Send + 'static>(
    work: impl Future<Output = Result<T, PortError>> + Send + 'static,
) -> Result<T, PortError> {
    tokio::spawn(work).await.unwrap_or_else(|ended| {
        Err(PortError::Unavailable {
            source: Box::new(ended),
            retry: false,
        })
    })
}
