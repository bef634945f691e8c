//! Client applications and their own clients at providers.

use super::Services;
use crate::application::{Application, ApplicationCredential, ApplicationKeys, KeyType};
use crate::error::{Denial, DomainError};
use crate::id::{ApplicationId, ProviderName};
use crate::limits::ClientAddress;
use crate::secret::{Secret, Token};

/// An application's client at a provider, as it is set.
#[derive(Clone, Debug)]
pub struct NewApplicationCredential {
    /// The provider.
    pub provider: ProviderName,
    /// LoopBack's `authScheme`.
    pub auth_scheme: String,
    /// `clientID` or `consumerKey`.
    pub client_id: String,
    /// `clientSecret` or `consumerSecret`.
    pub client_secret: Option<Secret>,
    /// Where the provider sends people back to, if not to the entry's own callback.
    pub callback_url: Option<String>,
}

impl Services {
    /// Makes an application. The keys are shown this once.
    ///
    /// # Errors
    /// [`Denial::Invalid`] for a blank or overlong name; ports that do not answer.
    pub async fn create_application(
        &self,
        name: &str,
    ) -> Result<(Application, ApplicationKeys), DomainError> {
        let _ = name;
        Err(Denial::Unexpected.into())
    }

    /// Which application this is, and by which of its keys.
    ///
    /// # Errors
    /// [`Denial::ApplicationRefused`] whatever is wrong; [`Denial::Limited`]; ports that do not answer.
    pub async fn authenticate_application(
        &self,
        id: &ApplicationId,
        key: &Token,
        address: &ClientAddress,
    ) -> Result<(Application, KeyType), DomainError> {
        let _ = (id, key, address);
        Err(Denial::Unexpected.into())
    }

    /// The application of an id.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn find_application(&self, id: &ApplicationId) -> Result<Option<Application>, DomainError> {
        Ok(self.ports.applications.find_application(id).await?)
    }

    /// Up to `limit` applications in the order of their ids, beginning after `after`.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn list_applications(
        &self,
        after: Option<ApplicationId>,
        limit: usize,
    ) -> Result<Vec<Application>, DomainError> {
        Ok(self.ports.applications.list_applications(after, limit).await?)
    }

    /// Sets an application's own client at a provider, in place of an older one.
    ///
    /// # Errors
    /// [`Denial::ApplicationRefused`] when there is no such application; ports that do not answer.
    pub async fn set_application_credential(
        &self,
        id: &ApplicationId,
        new: NewApplicationCredential,
    ) -> Result<ApplicationCredential, DomainError> {
        let _ = (id, new);
        Err(Denial::Unexpected.into())
    }

    /// Removes an application's own client at a provider, and says whether there was one.
    ///
    /// # Errors
    /// As [`Services::set_application_credential`].
    pub async fn remove_application_credential(
        &self,
        id: &ApplicationId,
        provider: &ProviderName,
    ) -> Result<bool, DomainError> {
        let _ = (id, provider);
        Err(Denial::Unexpected.into())
    }
}
