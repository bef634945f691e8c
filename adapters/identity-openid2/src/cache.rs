//! What the configured identifier turned out to be, looked up once however many ask at the same moment.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::ports::ProviderError;
use tokio::sync::Mutex;

/// Something of bounded age. Errors are shared by those who waited for them, and kept for nobody else.
pub struct Cached<T> {
    held: Mutex<Option<Held<T>>>,
}

struct Held<T> {
    since: Instant,
    outcome: Result<Arc<T>, ProviderError>,
}

impl<T> Cached<T> {
    /// Holds nothing yet.
    pub fn new() -> Self {
        Self {
            held: Mutex::new(None),
        }
    }

    /// The value if it is younger than `life`, else a new one.
    pub async fn get(
        &self,
        life: Duration,
        fetch: impl Future<Output = Result<T, ProviderError>> + Send,
    ) -> Result<Arc<T>, ProviderError> {
        let asked = Instant::now();
        let mut held = self.held.lock().await;
        if let Some(held) = &*held {
            let fresh = held.outcome.is_ok() && held.since.elapsed() < life;
            if fresh || held.since >= asked {
                return copy(&held.outcome);
            }
        }
        let outcome = fetch.await.map(Arc::new);
        let answer = copy(&outcome);
        *held = Some(Held {
            since: Instant::now(),
            outcome,
        });
        answer
    }
}

fn copy<T>(outcome: &Result<Arc<T>, ProviderError>) -> Result<Arc<T>, ProviderError> {
    match outcome {
        Ok(value) => Ok(Arc::clone(value)),
        Err(ProviderError::Unavailable(reason)) => Err(ProviderError::Unavailable(reason.clone())),
        Err(ProviderError::Refused { fault, detail }) => Err(ProviderError::refused(*fault, detail.clone())),
    }
}
