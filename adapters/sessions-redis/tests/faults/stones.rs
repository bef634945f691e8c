//! A durable store that is watched, fails when told to, and lets something happen in the middle of a burial.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::ports::{PortError, Tombstones};
use domain::secret::TokenHash;
use domain::time::Timestamp;
use domain::tombstone::Tombstone;
use sessions_memory::MemorySessions;
use sessions_redis::Durable;
use storage_memory::MemoryStore;

/// Something to happen once.
type Happening = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub struct Stones {
    kept: MemoryStore,
    /// How often somebody asked whether something is buried.
    pub asked: AtomicUsize,
    /// Whether every call fails.
    pub is_down: AtomicBool,
    after_burial: Mutex<Option<Happening>>,
    after_question: Mutex<Option<Happening>>,
}

impl Stones {
    pub fn durable(self: &Arc<Self>) -> Durable {
        Durable {
            tombstones: Arc::clone(self) as _,
            limiter: Arc::new(MemorySessions::default()),
        }
    }

    /// Lets something happen right after the next burial, before it is answered.
    pub fn after_burial(&self, act: impl FnOnce() + Send + 'static) {
        *self.after_burial.lock().unwrap() = Some(Box::new(act));
    }

    /// Lets something happen right after the next question whether something is buried, before its answer arrives.
    pub fn after_question(&self, act: impl FnOnce() + Send + 'static) {
        *self.after_question.lock().unwrap() = Some(Box::new(act));
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), PortError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(PortError::unavailable("the store is down"));
        }
        Ok(())
    }
}

#[async_trait]
impl Tombstones for Stones {
    async fn bury(&self, stone: &Tombstone) -> Result<bool, PortError> {
        self.check()?;
        let buried = self.kept.bury(stone).await;
        let happening = self.after_burial.lock().unwrap().take();
        if let Some(happening) = happening {
            tokio::task::block_in_place(happening);
        }
        buried
    }

    async fn is_buried(&self, token: &TokenHash) -> Result<bool, PortError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.check()?;
        let is_buried = self.kept.is_buried(token).await;
        let happening = self.after_question.lock().unwrap().take();
        if let Some(happening) = happening {
            tokio::task::block_in_place(happening);
        }
        is_buried
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.kept.purge(now).await
    }
}
