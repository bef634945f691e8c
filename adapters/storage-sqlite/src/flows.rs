//! Unfinished flows.

use async_trait::async_trait;
use domain::flow_record::{FlowKind, FlowRecord};
use domain::id::UserKey;
use domain::ports::{FlowStore, PortError};
use domain::secret::TokenHash;
use domain::time::Timestamp;
use rusqlite::params_from_iter;

use crate::rows::{self, decode_flow, encode_flow, flow_columns};
use crate::store::SqliteStore;

const PUT: &str = concat!(
    "INSERT INTO flows (",
    flow_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET pool = excluded.pool, ",
    "user_id = excluded.user_id, kind = excluded.kind, created = excluded.created, expires = excluded.expires, ",
    "body = excluded.body"
);
const REPLACE: &str = concat!(
    "UPDATE flows SET (",
    flow_columns!(),
    ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7) WHERE id = ?1"
);
const FIND: &str = concat!("SELECT ", flow_columns!(), " FROM flows WHERE id = ?1");
const TAKE: &str = concat!("DELETE FROM flows WHERE id = ?1 RETURNING ", flow_columns!());
const LIST: &str = concat!(
    "SELECT ",
    flow_columns!(),
    " FROM flows WHERE pool = ?1 AND user_id = ?2 AND kind = ?3 ORDER BY created, id"
);
const END_ALL: &str = "DELETE FROM flows WHERE pool = ?1 AND user_id = ?2 AND kind = ?3";
const PURGE: &str = "DELETE FROM flows WHERE id IN (SELECT id FROM flows WHERE expires < ?1 LIMIT ?2)";

fn of(user: &UserKey, kind: FlowKind) -> [String; 3] {
    [user.pool.as_str(), user.id.as_str(), kind.name()].map(str::to_owned)
}

#[async_trait]
impl FlowStore for SqliteStore {
    async fn put(&self, flow: &FlowRecord) -> Result<(), PortError> {
        let values = encode_flow(flow)?;
        self.write(move |connection, _| {
            connection
                .prepare_cached(PUT)?
                .execute(params_from_iter(values))?;
            Ok(())
        })
        .await
    }

    async fn replace(&self, flow: &FlowRecord) -> Result<bool, PortError> {
        let values = encode_flow(flow)?;
        self.write(move |connection, _| {
            let replaced = connection
                .prepare_cached(REPLACE)?
                .execute(params_from_iter(values))?;
            Ok(replaced == 1)
        })
        .await
    }

    async fn find(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        let id = *id;
        self.read(move |connection| rows::first(connection, FIND, [id.as_bytes()], decode_flow))
            .await
    }

    async fn take(&self, id: &TokenHash) -> Result<Option<FlowRecord>, PortError> {
        let id = *id;
        self.write(move |connection, _| {
            let taken = rows::all(connection, TAKE, [id.as_bytes()], decode_flow)?;
            Ok(taken.into_iter().next())
        })
        .await
    }

    async fn list(&self, user: &UserKey, kind: FlowKind) -> Result<Vec<FlowRecord>, PortError> {
        let parameters = of(user, kind);
        self.read(move |connection| rows::all(connection, LIST, parameters, decode_flow))
            .await
    }

    async fn end_all(&self, user: &UserKey, kind: FlowKind) -> Result<(), PortError> {
        let parameters = of(user, kind);
        self.write(move |connection, _| {
            connection.prepare_cached(END_ALL)?.execute(parameters)?;
            Ok(())
        })
        .await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, PortError> {
        self.purge_by(PURGE, now).await
    }
}
