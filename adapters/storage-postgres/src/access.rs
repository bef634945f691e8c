//! Roles and access rules: one row, or none as long as there was never any.

use async_trait::async_trait;
use domain::access::AccessState;
use domain::ports::{AccessStore, PortError};
use domain::stored::StoredAccess;
use domain::user::Revision;

use crate::rows::{self, one_or_stale};
use crate::store::PostgresStore;

// Whoever knows the newest hears that in one look at one small row; the record stays where it is.
const READ_NEWER: &str =
    "SELECT revision <> $1 AS is_newer, CASE WHEN revision <> $1 THEN record END AS record FROM access";
const READ: &str = "SELECT record FROM access";
const FIRST: &str =
    "INSERT INTO access (one, revision, record) VALUES (1, $1, $2) ON CONFLICT DO NOTHING RETURNING one";
const REPLACE: &str = "UPDATE access SET revision = $1, record = $2 WHERE revision = $3 RETURNING one";

#[async_trait]
impl AccessStore for PostgresStore {
    async fn read_access(&self, known: Option<Revision>) -> Result<Option<AccessState>, PortError> {
        let found = match known {
            Some(known) => self.read(READ_NEWER, vec![rows::revision(known)]).await?,
            None => self.read(READ, Vec::new()).await?,
        };
        match found.first() {
            None => Ok((known != Some(Revision::default())).then(AccessState::default)),
            Some(row) if known.is_some() && !rows::flag(row, "is_newer") => Ok(None),
            Some(row) => rows::decode::<StoredAccess, AccessState>("access", row).map(Some),
        }
    }

    async fn commit_access(&self, next: &AccessState, expected: Revision) -> Result<(), PortError> {
        let mut values = vec![
            rows::revision(next.revision),
            rows::record(&StoredAccess::from(next))?,
        ];
        let changed = if expected == Revision::default() {
            self.write(FIRST, values).await?
        } else {
            values.push(rows::revision(expected));
            self.write(REPLACE, values).await?
        };
        one_or_stale(&changed)
    }
}
