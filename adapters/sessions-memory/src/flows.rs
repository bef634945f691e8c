//! Unfinished flows.

use std::sync::PoisonError;

use async_trait::async_trait;
use domain::flow_record::{FlowKind, FlowRecord};
use domain::id::UserKey;
use domain::ports::{FlowStore, PortError};
use domain::secret::TokenHash;
use domain::time::Timestamp;

use crate::MemorySessions;
use crate::owned::{Owned, Record};

/// Flows by token and user.
pub(crate) type Flows = Owned<FlowRecord>;

impl Record for FlowRecord {
    fn token(&self) -> TokenHash {
        self.id
    }

    fn owner(&self) -> Option<UserKey> {
        self.user_key()
    }
}

impl MemorySessions {
    fn with_flows<T>(&self, act: impl FnOnce(&mut Flows) -> T) -> T {
        act(&mut self.flows.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl FlowStore for MemorySessions {
    async fn put(&self, flow: &FlowRecord) -> Result<(), PortError> {
        self.with_flows(|flows| flows.put(flow.clone()));
        Ok(())
    }

    async fn replace(&self, flow: &FlowRecord) -> Result<bool, PortError> {
        Ok(self.with_flows(|flows| {
            let is_there = flows.find(&flow.id).is_some();
            if is_there {
                flows.put(flow.clone());
            }
            is_there
        }))
    }

    async fn find(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        Ok(self.with_flows(|flows| flows.find(id).cloned()))
    }

    async fn take(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        Ok(self.with_flows(|flows| flows.take(id)))
    }

    async fn list(&self, user: &UserKey, kind: FlowKind) -> Result<Vec<FlowRecord>, PortError> {
        let mut listed: Vec<FlowRecord> = self.with_flows(|flows| {
            let of_user = flows.of(user);
            of_user.filter(|flow| flow.kind() == kind).cloned().collect()
        });
        listed.sort_by_key(|flow| (flow.created, flow.id));
        Ok(listed)
    }

    async fn end_all(&self, user: &UserKey, kind: FlowKind) -> Result<(), PortError> {
        self.with_flows(|flows| flows.take_of(user, |flow| flow.kind() == kind));
        Ok(())
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        Ok(self.with_flows(|flows| flows.take_all(|flow| flow.expires < now)))
    }
}
