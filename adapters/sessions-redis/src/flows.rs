//! Unfinished flows.

use std::sync::Arc;

use async_trait::async_trait;
use domain::flow_record::{FlowKind, FlowRecord};
use domain::id::UserKey;
use domain::ports::{FlowStore, PortError};
use domain::secret::TokenHash;
use domain::stored::StoredFlow;
use domain::time::Timestamp;
use domain::tombstone::Tombstone;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::RedisSessions;
use crate::scripts::{Replaced, life_in_redis};
use crate::store::{Shared, TRIES, to_the_end};

/// Flows of one user that are read or taken at a time.
const AT_ONCE: usize = 16;

fn decode(record: &[u8]) -> Result<FlowRecord, PortError> {
    serde_json::from_slice::<StoredFlow>(record)
        .map(FlowRecord::from)
        .map_err(|_| PortError::corrupt("a flow in Redis"))
}

fn encode(flow: &FlowRecord) -> Result<String, PortError> {
    serde_json::to_string(&StoredFlow::from(flow)).map_err(|_| PortError::corrupt("a flow to be stored"))
}

impl Shared {
    fn life_of(&self, flow: &FlowRecord) -> String {
        life_in_redis(Some(flow.expires.since(flow.created)), self.config.grace)
    }

    fn index_of(&self, flow: &FlowRecord) -> Option<String> {
        let user = flow.user_key()?;
        Some(self.keys.flows_of(&user, flow.kind()))
    }

    /// Puts a flow into the index of its user before it is written.
    async fn enlist_flow(&self, flow: &FlowRecord) -> Result<(), PortError> {
        if let Some(index) = self.index_of(flow) {
            self.fleet
                .enlist(&index, flow.id.to_text(), self.life_of(flow))
                .await?;
        }
        Ok(())
    }

    async fn put(&self, flow: &FlowRecord) -> Result<(), PortError> {
        let record = encode(flow)?;
        self.enlist_flow(flow).await?;
        self.fleet
            .write(&self.keys.flow(&flow.id), record, self.life_of(flow))
            .await?;
        Ok(())
    }

    async fn replace(&self, flow: &FlowRecord) -> Result<bool, PortError> {
        let (record, key) = (encode(flow)?, self.keys.flow(&flow.id));
        if self.pending.contains(&flow.id) {
            return Ok(false);
        }
        // Its kind may be another than before.
        self.enlist_flow(flow).await?;
        for _ in 0..TRIES {
            match self
                .fleet
                .replace(&key, record.clone(), self.life_of(flow))
                .await?
            {
                Replaced::Yes => return Ok(true),
                Replaced::No => return Ok(false),
                // Reading it finds out, and stamps it where it is still good.
                Replaced::AskFirst => {
                    if self.believe(&key, &flow.id).await?.is_none() {
                        return Ok(false);
                    }
                }
            }
        }
        Err(PortError::unavailable(
            "a flow changes faster than it can be replaced",
        ))
    }

    async fn find_flow(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        let believed = self.believe(&self.keys.flow(id), id).await?;
        believed.map(|believed| decode(&believed.record)).transpose()
    }

    async fn take(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        let key = self.keys.flow(id);
        let Some(record) = self.fleet.claim(&key).await? else {
            return Ok(None);
        };
        let flow = decode(&record)?;
        let is_mine = self.bury(&Tombstone::of_flow(&flow)).await?;
        // It is spent whatever Redis says to this.
        let _ = self.delete_buried(id, key).await;
        if let Some(index) = self.index_of(&flow) {
            let _ = self.fleet.delist(&index, &[id.to_text()]).await;
        }
        Ok(is_mine.then_some(flow))
    }

    async fn list_flows(&self, user: &UserKey, kind: FlowKind) -> Result<Vec<FlowRecord>, PortError> {
        let listed = self.fleet.listed(&self.keys.flows_of(user, kind)).await?;
        let ids: Vec<TokenHash> = listed
            .iter()
            .filter_map(|text| TokenHash::from_text(text))
            .collect();
        let mut flows: Vec<FlowRecord> = stream::iter(ids)
            .map(async |id| self.find_flow(&id).await)
            .buffer_unordered(AT_ONCE)
            .try_filter_map(async |found| Ok(found.filter(|flow| flow.is_of(user) && flow.kind() == kind)))
            .try_collect()
            .await?;
        flows.sort_by_key(|flow| (flow.created, flow.id));
        Ok(flows)
    }

    async fn end_all_flows(&self, user: &UserKey, kind: FlowKind) -> Result<(), PortError> {
        let flows = self.list_flows(user, kind).await?;
        stream::iter(flows)
            .map(async |flow| self.take(&flow.id).await.map(|_| ()))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }
}

#[async_trait]
impl FlowStore for RedisSessions {
    async fn put(&self, flow: &FlowRecord) -> Result<(), PortError> {
        let (shared, flow) = (Arc::clone(&self.0), flow.clone());
        to_the_end(async move { shared.put(&flow).await }).await
    }

    async fn replace(&self, flow: &FlowRecord) -> Result<bool, PortError> {
        let (shared, flow) = (Arc::clone(&self.0), flow.clone());
        to_the_end(async move { shared.replace(&flow).await }).await
    }

    async fn find(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        self.0.find_flow(id).await
    }

    async fn take(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        let (shared, id) = (Arc::clone(&self.0), *id);
        to_the_end(async move { shared.take(&id).await }).await
    }

    async fn list(&self, user: &UserKey, kind: FlowKind) -> Result<Vec<FlowRecord>, PortError> {
        self.0.list_flows(user, kind).await
    }

    async fn end_all(&self, user: &UserKey, kind: FlowKind) -> Result<(), PortError> {
        let (shared, user) = (Arc::clone(&self.0), user.clone());
        to_the_end(async move { shared.end_all_flows(&user, kind).await }).await
    }

    /// Redis drops by itself what is void.
    async fn purge(&self, _now: Timestamp) -> Result<u64, PortError> {
        Ok(0)
    }
}
