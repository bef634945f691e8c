//! Threads that serve one bounded queue, so that no call to the database ever blocks the callers' runtime.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use domain::ports::PortError;
use domain::time::Lifetime;
use tokio::sync::mpsc::{self, error::TrySendError};

/// When somebody refused for a full queue should come back.
const RETRY_AFTER: Lifetime = Lifetime::from_secs(1);

/// Some threads and the queue they serve.
pub(crate) struct Crew<J> {
    queue: RwLock<Option<mpsc::Sender<J>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl<J: Send + 'static> Crew<J> {
    pub fn new(queue: mpsc::Sender<J>, threads: Vec<JoinHandle<()>>) -> Self {
        Self {
            queue: RwLock::new(Some(queue)),
            threads: Mutex::new(threads),
        }
    }

    /// Hands a job over, without waiting.
    pub fn submit(&self, job: J) -> Result<(), PortError> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        match queue.as_ref().map(|queue| queue.try_send(job)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(PortError::Busy {
                retry_after: RETRY_AFTER,
            }),
            Some(Err(TrySendError::Closed(_))) | None => Err(gone()),
        }
    }

    /// Takes no further jobs, finishes those that were taken, and ends the threads.
    pub async fn stop(&self) -> Result<(), PortError> {
        self.hang_up();
        let threads = std::mem::take(&mut *self.threads());
        let joined = tokio::task::spawn_blocking(move || join(threads)).await;
        joined.map_err(PortError::unavailable)
    }

    fn hang_up(&self) {
        self.queue.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> Drop for Crew<J> {
    fn drop(&mut self) {
        self.queue.write().unwrap_or_else(PoisonError::into_inner).take();
        join(std::mem::take(
            &mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner),
        ));
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a database thread ended by itself");
        }
    }
}

/// The answer of a store that was closed, or whose thread is gone.
pub(crate) fn gone() -> PortError {
    PortError::Unavailable {
        source: "the store is closed".into(),
        retry: false,
    }
}
