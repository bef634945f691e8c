use serde::{Deserialize, Serialize};

use crate::access::RoleMapping;
use crate::application::{Application, ApplicationCredential, ApplicationDetails, ApplicationKey};
use crate::id::ApplicationId;
use crate::time::Timestamp;
use crate::user::Revision;

/// An [`Application`] as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredApplication {
    /// [`Application::id`]
    pub id: ApplicationId,
    /// [`Application::revision`]
    pub revision: Revision,
    /// [`Application::name`]
    pub name: String,
    /// [`Application::keys`], hashes.
    #[serde(default)]
    pub keys: Vec<ApplicationKey>,
    /// [`Application::credentials`], sealed.
    #[serde(default)]
    pub credentials: Vec<ApplicationCredential>,
    /// [`Application::mappings`]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<RoleMapping>,
    /// [`Application::disabled`], milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Timestamp>,
    /// [`Application::details`]
    #[serde(default)]
    pub details: ApplicationDetails,
    /// [`Application::created`], milliseconds since 1970.
    pub created: Timestamp,
    /// [`Application::modified`], milliseconds since 1970.
    pub modified: Timestamp,
}

impl From<&Application> for StoredApplication {
    fn from(application: &Application) -> Self {
        Self {
            id: application.id.clone(),
            revision: application.revision,
            name: application.name.clone(),
            keys: application.keys.clone(),
            credentials: application.credentials.clone(),
            mappings: application.mappings.clone(),
            disabled: application.disabled,
            details: application.details.clone(),
            created: application.created,
            modified: application.modified,
        }
    }
}

impl From<StoredApplication> for Application {
    fn from(stored: StoredApplication) -> Self {
        Self {
            id: stored.id,
            revision: stored.revision,
            name: stored.name,
            keys: stored.keys,
            credentials: stored.credentials,
            mappings: stored.mappings,
            disabled: stored.disabled,
            details: stored.details,
            created: stored.created,
            modified: stored.modified,
        }
    }
}
