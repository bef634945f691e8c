//! Memory of a record that seldom changes and is asked for with every call.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use domain::access::AccessState;
use domain::ports::{AccessStore, PortError};
use domain::user::Revision;

/// Roles and access rules, kept as they were read last. The store is asked each time whether they are still the newest, which is one
/// look at one small row, and sends them only when they changed: what is answered is never older than the question.
pub struct KnownAccess {
    store: Arc<dyn AccessStore>,
    last: RwLock<Option<AccessState>>,
}

impl KnownAccess {
    /// Over a store.
    pub const fn over(store: Arc<dyn AccessStore>) -> Self {
        Self {
            store,
            last: RwLock::new(None),
        }
    }

    async fn newest(&self) -> Result<AccessState, PortError> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner).clone();
        let revision = last.as_ref().map(|last| last.revision);
        match (self.store.read_access(revision).await?, last) {
            (None, Some(last)) => Ok(last),
            (newer, _) => {
                let state = newer.unwrap_or_default();
                *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(state.clone());
                Ok(state)
            }
        }
    }
}

#[async_trait]
impl AccessStore for KnownAccess {
    async fn read_access(&self, known: Option<Revision>) -> Result<Option<AccessState>, PortError> {
        let state = self.newest().await?;
        Ok((known != Some(state.revision)).then_some(state))
    }

    async fn commit_access(&self, next: &AccessState, expected: Revision) -> Result<(), PortError> {
        self.store.commit_access(next, expected).await
    }
}
