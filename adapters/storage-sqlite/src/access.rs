//! Roles and access rules: one row, or none as long as there was never any.

use async_trait::async_trait;
use domain::access::AccessState;
use domain::ports::{AccessStore, PortError};
use domain::user::Revision;
use rusqlite::Row;
use rusqlite::types::Value;
use serde::de::DeserializeOwned;

use crate::error::Answer;
use crate::rows::{self, corrupt, one_or_stale};
use crate::store::SqliteStore;

const REVISION: &str = "SELECT revision FROM access";
const READ: &str = "SELECT revision, roles, rules FROM access";
const FIRST: &str =
    "INSERT INTO access (one, revision, roles, rules) VALUES (1, ?1, ?2, ?3) ON CONFLICT DO NOTHING";
const REPLACE: &str = "UPDATE access SET (revision, roles, rules) = (?1, ?2, ?3) WHERE revision = ?4";

fn decode(row: &Row<'_>) -> Answer<AccessState> {
    Ok(AccessState {
        revision: Revision::new(row.get::<_, i64>(0)?.cast_unsigned()),
        roles: list(row, 1)?,
        rows: list(row, 2)?,
    })
}

fn list<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Answer<Vec<T>> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|_| corrupt("access", "record"))
}

#[async_trait]
impl AccessStore for SqliteStore {
    async fn read_access(&self, known: Option<Revision>) -> Result<Option<AccessState>, PortError> {
        self.read(move |connection| {
            if let Some(known) = known {
                let current = rows::first(connection, REVISION, [], |row| Ok(row.get::<_, i64>(0)?))?;
                if current.unwrap_or_default() == rows::revision(known) {
                    return Ok(None);
                }
            }
            let state = rows::first(connection, READ, [], decode)?;
            Ok(Some(state.unwrap_or_default()))
        })
        .await
    }

    async fn commit_access(&self, next: &AccessState, expected: Revision) -> Result<(), PortError> {
        let revision = Value::Integer(rows::revision(next.revision));
        let values = (revision, rows::list(&next.roles)?, rows::list(&next.rows)?);
        self.write(move |connection, _| {
            let (revision, roles, rules) = values;
            let changed = if expected == Revision::default() {
                connection
                    .prepare_cached(FIRST)?
                    .execute((revision, roles, rules))?
            } else {
                let expected = rows::revision(expected);
                connection
                    .prepare_cached(REPLACE)?
                    .execute((revision, roles, rules, expected))?
            };
            one_or_stale(changed)
        })
        .await
    }
}
