//! Unfinished flows.

use async_trait::async_trait;
use domain::flow_record::{FlowKind, FlowRecord};
use domain::id::{UserId, UserKey};
use domain::ports::{FlowStore, PortError};
use domain::secret::TokenHash;
use domain::stored::StoredFlow;
use domain::time::Timestamp;
use sqlx::postgres::PgRow;

use crate::rows::{self, bytes, maybe_bytes, pool};
use crate::statement::Value;
use crate::store::PostgresStore;

const PUT: &str = "\
    INSERT INTO flows (id, pool, user_id, kind, created, expires, record) VALUES ($1, $2, $3, $4, $5, $6, $7) \
    ON CONFLICT (id) DO UPDATE SET pool = excluded.pool, user_id = excluded.user_id, kind = excluded.kind, \
    created = excluded.created, expires = excluded.expires, record = excluded.record";
const REPLACE: &str = "\
    UPDATE flows SET pool = $2, user_id = $3, kind = $4, created = $5, expires = $6, record = $7 WHERE id = $1 \
    RETURNING id";
const FIND: &str = "SELECT pool, user_id AS id, record FROM flows WHERE id = $1";
const TAKE: &str = "DELETE FROM flows WHERE id = $1 RETURNING pool, user_id AS id, record";
const LIST: &str = "SELECT pool, user_id AS id, record FROM flows \
    WHERE pool = $1 AND user_id = $2 AND kind = $3 ORDER BY created, flows.id";
const END_ALL: &str = "DELETE FROM flows WHERE pool = $1 AND user_id = $2 AND kind = $3";
const PURGE: &str = "DELETE FROM flows WHERE id = ANY (ARRAY(\
    SELECT id FROM flows WHERE expires < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING id";

fn encode(flow: &FlowRecord) -> Result<Vec<Value>, PortError> {
    Ok(vec![
        id(&flow.id),
        pool(&flow.pool),
        maybe_bytes(flow.user.as_ref().map(UserId::as_str)),
        flow.kind().name().into(),
        flow.created.as_millis().into(),
        flow.expires.as_millis().into(),
        rows::record(&StoredFlow::from(flow))?,
    ])
}

fn id(hash: &TokenHash) -> Value {
    Value::Bytes(hash.as_bytes().to_vec())
}

fn of(user: &UserKey, kind: FlowKind) -> Vec<Value> {
    vec![pool(&user.pool), bytes(user.id.as_str()), kind.name().into()]
}

fn first(rows: &[PgRow]) -> Result<Option<FlowRecord>, PortError> {
    rows::first::<StoredFlow, FlowRecord>("flow of", rows)
}

#[async_trait]
impl FlowStore for PostgresStore {
    async fn put(&self, flow: &FlowRecord) -> Result<(), PortError> {
        self.write(PUT, encode(flow)?).await.map(drop)
    }

    async fn replace(&self, flow: &FlowRecord) -> Result<bool, PortError> {
        Ok(!self.write(REPLACE, encode(flow)?).await?.is_empty())
    }

    async fn find(&self, hash: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        first(&self.read(FIND, vec![id(hash)]).await?)
    }

    async fn take(&self, hash: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        first(&self.write(TAKE, vec![id(hash)]).await?)
    }

    async fn list(&self, user: &UserKey, kind: FlowKind) -> Result<Vec<FlowRecord>, PortError> {
        let flows = self.read(LIST, of(user, kind)).await?;
        rows::all::<StoredFlow, FlowRecord>("flow of", &flows)
    }

    async fn end_all(&self, user: &UserKey, kind: FlowKind) -> Result<(), PortError> {
        self.write(END_ALL, of(user, kind)).await.map(drop)
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_by(PURGE, now).await
    }
}
