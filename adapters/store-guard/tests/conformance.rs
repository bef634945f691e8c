//! The conformance cases of roles and rules, run against the memory of them over a store.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use conformance::Fixture;
use domain::access::AccessState;
use domain::id::RoleName;
use domain::ports::{AccessStore, PortError};
use domain::user::Revision;
use store_guard::KnownAccess;

/// The least a store of them can be.
#[derive(Default)]
struct Shelf(Mutex<AccessState>);

#[async_trait]
impl AccessStore for Shelf {
    async fn read_access(&self, known: Option<Revision>) -> Result<Option<AccessState>, PortError> {
        let state = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        Ok((known != Some(state.revision)).then_some(state))
    }

    async fn commit_access(&self, next: &AccessState, expected: Revision) -> Result<(), PortError> {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if state.revision != expected {
            return Err(PortError::Stale);
        }
        *state = next.clone();
        Ok(())
    }
}

async fn access() -> Fixture<dyn AccessStore> {
    Fixture::new(Arc::new(KnownAccess::over(Arc::new(Shelf::default()))))
}

conformance::access_store!(access);

/// Roles of one name, as another node would store them.
async fn change(store: &dyn AccessStore, name: &str) -> AccessState {
    let before = store.read_access(None).await.unwrap().unwrap();
    let mut role = conformance::access_store::full().roles.first().unwrap().clone();
    role.name = RoleName::new(name);
    let mut next = before.clone();
    next.revision = before.revision.next();
    next.roles = Arc::new(vec![role]);
    store.commit_access(&next, before.revision).await.unwrap();
    next
}

#[tokio::test]
async fn what_another_node_changed_is_seen_by_the_next_question() {
    let shared: Arc<dyn AccessStore> = Arc::new(Shelf::default());
    let (here, there) = (
        KnownAccess::over(Arc::clone(&shared)),
        KnownAccess::over(Arc::clone(&shared)),
    );
    for name in ["clerk", "boss", "clerk again"] {
        let changed = change(&there, name).await;
        assert_eq!(here.read_access(None).await.unwrap(), Some(changed.clone()));
        assert_eq!(here.read_access(Some(changed.revision)).await.unwrap(), None);
    }
}
