//! Client applications.

use async_trait::async_trait;
use domain::application::Application;
use domain::id::ApplicationId;
use domain::ports::{ApplicationStore, PortError};
use domain::stored::StoredApplication;
use domain::user::Revision;

use crate::rows::{self, at_most, bytes, one_or_stale};
use crate::statement::Value;
use crate::store::PostgresStore;

const INSERT: &str = "INSERT INTO applications (id, revision, record) VALUES ($1, $2, $3)";
const UPDATE: &str =
    "UPDATE applications SET revision = $2, record = $3 WHERE id = $1 AND revision = $4 RETURNING id";
const DELETE: &str = "DELETE FROM applications WHERE id = $1 AND revision = $2 RETURNING id";
const FIND: &str = "SELECT id, record FROM applications WHERE id = $1";
const FIRST_PAGE: &str = "SELECT id, record FROM applications ORDER BY id LIMIT $1";
const NEXT_PAGE: &str = "SELECT id, record FROM applications WHERE id > $1 ORDER BY id LIMIT $2";

fn encode(application: &Application) -> Result<Vec<Value>, PortError> {
    Ok(vec![
        bytes(application.id.as_str()),
        rows::revision(application.revision),
        rows::record(&StoredApplication::from(application))?,
    ])
}

#[async_trait]
impl ApplicationStore for PostgresStore {
    async fn create_application(&self, application: &Application) -> Result<(), PortError> {
        self.write(INSERT, encode(application)?).await.map(drop)
    }

    async fn find_application(&self, id: &ApplicationId) -> Result<Option<Application>, PortError> {
        let found = self.read(FIND, vec![bytes(id.as_str())]).await?;
        rows::first::<StoredApplication, Application>("application", &found)
    }

    async fn commit_application(&self, next: &Application, expected: Revision) -> Result<(), PortError> {
        let mut values = encode(next)?;
        values.push(rows::revision(expected));
        one_or_stale(&self.write(UPDATE, values).await?)
    }

    async fn delete_application(&self, id: &ApplicationId, expected: Revision) -> Result<(), PortError> {
        let values = vec![bytes(id.as_str()), rows::revision(expected)];
        one_or_stale(&self.write(DELETE, values).await?)
    }

    async fn list_applications(
        &self,
        after: Option<ApplicationId>,
        limit: usize,
    ) -> Result<Vec<Application>, PortError> {
        let page = match after {
            Some(after) => {
                let values = vec![bytes(after.as_str()), at_most(limit)];
                self.read(NEXT_PAGE, values).await?
            }
            None => self.read(FIRST_PAGE, vec![at_most(limit)]).await?,
        };
        rows::all::<StoredApplication, Application>("application", &page)
    }
}
