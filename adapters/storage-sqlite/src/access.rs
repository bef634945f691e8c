//! Roles and access rules: one row, or none as long as there was never any.

use std::sync::Arc;

use async_trait::async_trait;
use domain::access::AccessState;
use domain::ports::{AccessStore, PortError};
use domain::user::Revision;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use serde::de::DeserializeOwned;

use crate::error::Answer;
use crate::rows::{self, corrupt, one_or_stale};
use crate::store::SqliteStore;

const READ: &str = "SELECT revision, roles, rules FROM access";
const FIRST: &str =
    "INSERT INTO access (one, revision, roles, rules) VALUES (1, ?1, ?2, ?3) ON CONFLICT DO NOTHING";
const REPLACE: &str = "UPDATE access SET (revision, roles, rules) = (?1, ?2, ?3) WHERE revision = ?4";

/// Also where nothing was ever stored: that is what most servers ask for all day.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "what is read through the cache is read by its key, and there is one record"
)]
fn load(connection: &Connection, (): &()) -> Answer<Option<Arc<AccessState>>> {
    let state = rows::first(connection, READ, [], decode)?;
    Ok(Some(Arc::new(state.unwrap_or_default())))
}

fn decode(row: &Row<'_>) -> Answer<AccessState> {
    Ok(AccessState {
        revision: Revision::new(row.get::<_, i64>(0)?.cast_unsigned()),
        roles: Arc::new(list(row, 1)?),
        rows: Arc::new(list(row, 2)?),
    })
}

fn list<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Answer<Vec<T>> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|_| corrupt("access", "record"))
}

#[async_trait]
impl AccessStore for SqliteStore {
    async fn read_access(&self, known: Option<Revision>) -> Result<Option<AccessState>, PortError> {
        // The file is ours alone: what is in memory is what is stored, and whoever knows it costs no query.
        let state = self.read_through(&self.caches.access, &(), load).await?;
        let state = state.unwrap_or_default();
        Ok((known != Some(state.revision)).then(|| AccessState::clone(&state)))
    }

    async fn commit_access(&self, next: &AccessState, expected: Revision) -> Result<(), PortError> {
        let revision = Value::Integer(rows::revision(next.revision));
        let values = (revision, rows::list(&next.roles)?, rows::list(&next.rows)?);
        self.write(move |connection, touched| {
            touched.access = true;
            let (revision, all_roles, rules) = values;
            let changed = if expected == Revision::default() {
                connection
                    .prepare_cached(FIRST)?
                    .execute((revision, all_roles, rules))?
            } else {
                let expected = rows::revision(expected);
                connection
                    .prepare_cached(REPLACE)?
                    .execute((revision, all_roles, rules, expected))?
            };
            one_or_stale(changed)
        })
        .await
    }
}
