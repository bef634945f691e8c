//! Client applications.

use async_trait::async_trait;
use domain::application::Application;
use domain::id::ApplicationId;
use domain::ports::{ApplicationStore, PortError};
use domain::user::Revision;
use mongodb::bson::{Document, doc};

use crate::documents::{APPLICATIONS, of_application, revision, to_application};
use crate::store::MongoStore;

fn guard(id: &ApplicationId, expected: Revision) -> Document {
    doc! { "_id": id.as_str(), "revision": revision(expected) }
}

const fn one_or_stale(changed: u64) -> Result<(), PortError> {
    if changed == 1 {
        Ok(())
    } else {
        Err(PortError::Stale)
    }
}

#[async_trait]
impl ApplicationStore for MongoStore {
    async fn create_application(&self, application: &Application) -> Result<(), PortError> {
        let document = of_application(application)?;
        self.run(|base| async move {
            base.of(APPLICATIONS).insert_one(document).await?;
            Ok(())
        })
        .await
    }

    async fn find_application(&self, id: &ApplicationId) -> Result<Option<Application>, PortError> {
        let filter = doc! { "_id": id.as_str() };
        let found = self
            .run(|base| async move { base.first(APPLICATIONS, filter).await })
            .await?;
        found.map(to_application).transpose()
    }

    async fn commit_application(&self, next: &Application, expected: Revision) -> Result<(), PortError> {
        let (document, guard) = (of_application(next)?, guard(&next.id, expected));
        let replaced = self
            .run(|base| async move { Ok(base.of(APPLICATIONS).replace_one(guard, document).await?) })
            .await?;
        one_or_stale(replaced.matched_count)
    }

    async fn delete_application(&self, id: &ApplicationId, expected: Revision) -> Result<(), PortError> {
        let guard = guard(id, expected);
        let removed = self
            .run(|base| async move { Ok(base.of(APPLICATIONS).delete_one(guard).await?) })
            .await?;
        one_or_stale(removed.deleted_count)
    }

    async fn list_applications(
        &self,
        after: Option<ApplicationId>,
        limit: usize,
    ) -> Result<Vec<Application>, PortError> {
        let filter = after.map_or_else(|| doc! {}, |after| doc! { "_id": { "$gt": after.as_str() } });
        let found = self
            .run(|base| async move { base.all(APPLICATIONS, filter, doc! { "_id": 1 }, limit).await })
            .await?;
        found.into_iter().map(to_application).collect()
    }
}
