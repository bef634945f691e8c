//! Client applications.

use std::collections::BTreeMap;
use std::ops::Bound;

use async_trait::async_trait;
use domain::application::Application;
use domain::id::ApplicationId;
use domain::ports::{ApplicationStore, PortError, UniqueKey};
use domain::user::Revision;

use crate::{MemoryStore, locked};

/// Applications by id.
pub(crate) type Applications = BTreeMap<ApplicationId, Application>;

/// The place of a stored application, if it is still at that revision.
fn at_revision<'a>(
    applications: &'a mut Applications,
    id: &ApplicationId,
    expected: Revision,
) -> Result<&'a mut Application, PortError> {
    applications
        .get_mut(id)
        .filter(|application| application.revision == expected)
        .ok_or(PortError::Stale)
}

#[async_trait]
impl ApplicationStore for MemoryStore {
    async fn create_application(&self, application: &Application) -> Result<(), PortError> {
        let mut applications = locked(&self.applications);
        if applications.contains_key(&application.id) {
            return Err(PortError::Duplicate(UniqueKey::Id));
        }
        applications.insert(application.id.clone(), application.clone());
        Ok(())
    }

    async fn find_application(&self, id: &ApplicationId) -> Result<Option<Application>, PortError> {
        Ok(locked(&self.applications).get(id).cloned())
    }

    async fn commit_application(&self, next: &Application, expected: Revision) -> Result<(), PortError> {
        *at_revision(&mut locked(&self.applications), &next.id, expected)? = next.clone();
        Ok(())
    }

    async fn delete_application(&self, id: &ApplicationId, expected: Revision) -> Result<(), PortError> {
        let mut applications = locked(&self.applications);
        at_revision(&mut applications, id, expected)?;
        applications.remove(id);
        Ok(())
    }

    async fn list_applications(
        &self,
        after: Option<ApplicationId>,
        limit: usize,
    ) -> Result<Vec<Application>, PortError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let applications = locked(&self.applications);
        let page = applications.range((from, Bound::Unbounded));
        Ok(page
            .take(limit)
            .map(|(_, application)| application.clone())
            .collect())
    }
}
