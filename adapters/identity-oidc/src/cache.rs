//! One published document, fetched once however many ask for it at the same moment.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::ports::ProviderError;

use crate::ask::copy;

/// A document of bounded age. Nobody who can be served from memory waits for the network.
pub struct Cached<T> {
    held: Mutex<Option<Held<T>>>,
    /// Held while fetching: whoever comes meanwhile waits for that answer, be it an error, and does not ask again.
    fetching: tokio::sync::Mutex<Fetches>,
}

struct Held<T> {
    value: Arc<T>,
    fetched: Instant,
}

#[derive(Default)]
struct Fetches {
    failed: Option<(Instant, ProviderError)>,
    renewed: Option<Instant>,
}

impl Fetches {
    /// The error of a fetch that ended after `since`: whoever waited for it shares it.
    fn failed_since(&self, since: Instant) -> Result<(), ProviderError> {
        match &self.failed {
            Some((when, error)) if *when >= since => Err(copy(error)),
            _ => Ok(()),
        }
    }
}

impl<T> Cached<T> {
    pub fn new() -> Self {
        Self {
            held: Mutex::new(None),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    /// The document if it is younger than `life`, else a new one.
    pub async fn get<F>(
        &self,
        life: Duration,
        fetch: impl FnOnce() -> F + Send,
    ) -> Result<Arc<T>, ProviderError>
    where
        F: Future<Output = Result<T, ProviderError>> + Send,
    {
        let asked = Instant::now();
        if let Some(value) = self.younger_than(life) {
            return Ok(value);
        }
        let mut record = self.fetching.lock().await;
        if let Some(value) = self.younger_than(life) {
            return Ok(value);
        }
        record.failed_since(asked)?;
        self.fetch(&mut record, fetch).await
    }

    /// A newer document than `seen`, for somebody who started at `since` and did not find in it what must be there. None if `seen`
    /// was fetched since, or if `pause` has not passed since the last such look: strange tokens must not make us a nuisance.
    pub async fn renew<F>(
        &self,
        seen: &Arc<T>,
        since: Instant,
        pause: Duration,
        fetch: impl FnOnce() -> F + Send,
    ) -> Result<Option<Arc<T>>, ProviderError>
    where
        F: Future<Output = Result<T, ProviderError>> + Send,
    {
        let mut record = self.fetching.lock().await;
        match self.current() {
            Some((value, _)) if !Arc::ptr_eq(&value, seen) => return Ok(Some(value)),
            Some((_, fetched)) if fetched >= since => return Ok(None),
            _ => {}
        }
        record.failed_since(since)?;
        if record.renewed.is_some_and(|last| last.elapsed() < pause) {
            return Ok(None);
        }
        let outcome = self.fetch(&mut record, fetch).await;
        record.renewed = Some(Instant::now());
        outcome.map(Some)
    }

    async fn fetch<F>(
        &self,
        record: &mut Fetches,
        fetch: impl FnOnce() -> F + Send,
    ) -> Result<Arc<T>, ProviderError>
    where
        F: Future<Output = Result<T, ProviderError>> + Send,
    {
        match fetch().await {
            Ok(value) => {
                let value = Arc::new(value);
                let held = Held {
                    value: Arc::clone(&value),
                    fetched: Instant::now(),
                };
                *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
                record.failed = None;
                Ok(value)
            }
            Err(error) => {
                record.failed = Some((Instant::now(), copy(&error)));
                Err(error)
            }
        }
    }

    fn current(&self) -> Option<(Arc<T>, Instant)> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map(|held| (Arc::clone(&held.value), held.fetched))
    }

    fn younger_than(&self, life: Duration) -> Option<Arc<T>> {
        let (value, fetched) = self.current()?;
        (fetched.elapsed() < life).then_some(value)
    }
}
