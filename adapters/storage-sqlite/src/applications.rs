//! Client applications.

use async_trait::async_trait;
use domain::application::Application;
use domain::id::ApplicationId;
use domain::ports::{ApplicationStore, PortError};
use domain::user::Revision;
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use crate::rows::{self, application_columns, at_most, decode_application, encode_application, one_or_stale};
use crate::store::SqliteStore;

const INSERT: &str = concat!(
    "INSERT INTO applications (",
    application_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
);
const UPDATE: &str = concat!(
    "UPDATE applications SET (",
    application_columns!(),
    ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) WHERE id = ?1 AND revision = ?11"
);
const DELETE: &str = "DELETE FROM applications WHERE id = ?1 AND revision = ?2";
const FIND: &str = concat!(
    "SELECT ",
    application_columns!(),
    " FROM applications WHERE id = ?1"
);
const FIRST_PAGE: &str = concat!(
    "SELECT ",
    application_columns!(),
    " FROM applications ORDER BY id LIMIT ?1"
);
const NEXT_PAGE: &str = concat!(
    "SELECT ",
    application_columns!(),
    " FROM applications WHERE id > ?1 ORDER BY id LIMIT ?2"
);

#[async_trait]
impl ApplicationStore for SqliteStore {
    async fn create_application(&self, application: &Application) -> Result<(), PortError> {
        let values = encode_application(application)?;
        self.write(move |connection, _| {
            connection
                .prepare_cached(INSERT)?
                .execute(params_from_iter(values))?;
            Ok(())
        })
        .await
    }

    async fn find_application(&self, id: &ApplicationId) -> Result<Option<Application>, PortError> {
        let id = id.as_str().to_owned();
        self.read(move |connection| rows::first(connection, FIND, [id], decode_application))
            .await
    }

    async fn commit_application(&self, next: &Application, expected: Revision) -> Result<(), PortError> {
        let mut values = encode_application(next)?;
        values.push(Value::Integer(rows::revision(expected)));
        self.write(move |connection, _| {
            let changed = connection
                .prepare_cached(UPDATE)?
                .execute(params_from_iter(values))?;
            one_or_stale(changed)
        })
        .await
    }

    async fn delete_application(&self, id: &ApplicationId, expected: Revision) -> Result<(), PortError> {
        let (id, revision) = (id.as_str().to_owned(), rows::revision(expected));
        self.write(move |connection, _| {
            let removed = connection.prepare_cached(DELETE)?.execute((id, revision))?;
            one_or_stale(removed)
        })
        .await
    }

    async fn list_applications(
        &self,
        after: Option<ApplicationId>,
        limit: usize,
    ) -> Result<Vec<Application>, PortError> {
        let limit = at_most(limit);
        self.read(move |connection| match after {
            Some(after) => rows::all(connection, NEXT_PAGE, (after.as_str(), limit), decode_application),
            None => rows::all(connection, FIRST_PAGE, [limit], decode_application),
        })
        .await
    }
}
