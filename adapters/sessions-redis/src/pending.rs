//! Deletions that Redis did not acknowledge: tried again until it does. Until then this node refuses what they name.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::secret::TokenHash;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::fleet::Fleet;

/// Deletions remembered. One beyond them is not tried again: what it names is buried and claimed, so nobody believes it.
const REMEMBERED: usize = 10_000;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Deletions to be tried again.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    keys: Mutex<HashMap<TokenHash, String>>,
    count: AtomicUsize,
    more: Notify,
}

impl Pending {
    /// Remembers a deletion.
    pub fn add(&self, token: TokenHash, key: String) {
        let mut keys = self.keys();
        if keys.len() < REMEMBERED {
            keys.insert(token, key);
            self.count.store(keys.len(), Ordering::SeqCst);
            self.more.notify_one();
        } else {
            tracing::warn!("too many deletions wait for Redis: one is left to its expiry");
        }
    }

    /// Whether the deletion of a token still waits.
    pub fn contains(&self, token: &TokenHash) -> bool {
        self.count.load(Ordering::SeqCst) > 0 && self.keys().contains_key(token)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    fn remove(&self, token: &TokenHash) {
        let mut keys = self.keys();
        keys.remove(token);
        self.count.store(keys.len(), Ordering::SeqCst);
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<TokenHash, String>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> Vec<(TokenHash, String)> {
        self.keys()
            .iter()
            .map(|(token, key)| (*token, key.clone()))
            .collect()
    }
}

/// Tries for as long as it runs.
pub(crate) async fn retry(pending: Arc<Pending>, fleet: Arc<Fleet>) {
    loop {
        pending.more.notified().await;
        let mut pause = FIRST_PAUSE;
        while pending.len() > 0 {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            for (token, key) in pending.all() {
                // One part of a cluster may be away, and the others not.
                if fleet.delete_for_good(&key).await.is_ok() {
                    pending.remove(&token);
                }
            }
        }
    }
}
