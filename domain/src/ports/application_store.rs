use async_trait::async_trait;

use super::PortError;
use crate::application::Application;
use crate::id::ApplicationId;
use crate::user::Revision;

/// Keeps client applications. What it acknowledges is durable.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait ApplicationStore: Send + Sync {
    /// Adds an application. MUST refuse a taken id as [`PortError::Duplicate`].
    async fn create_application(&self, application: &Application) -> Result<(), PortError>;

    /// The application of that id. MUST return what was stored, field by field.
    async fn find_application(&self, id: &ApplicationId) -> Result<Option<Application>, PortError>;

    /// Replaces an application by its next state. MUST do nothing and say [`PortError::Stale`] unless the stored revision is
    /// `expected`, also when the application is gone. MUST let exactly one of several racing commits of one revision through.
    async fn commit_application(&self, next: &Application, expected: Revision) -> Result<(), PortError>;

    /// Removes an application. MUST say [`PortError::Stale`] unless the stored revision is `expected`.
    async fn delete_application(&self, id: &ApplicationId, expected: Revision) -> Result<(), PortError>;

    /// Up to `limit` applications in the order of their ids, beginning after `after`. MUST list every one exactly once when read
    /// page by page.
    async fn list_applications(
        &self,
        after: Option<ApplicationId>,
        limit: usize,
    ) -> Result<Vec<Application>, PortError>;
}
