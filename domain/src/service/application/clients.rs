//! An application's own clients at providers.

use super::super::Services;
use super::super::grants::application_binding;
use crate::application::ApplicationCredential;
use crate::audit::{Actor, AuditKind};
use crate::error::DomainError;
use crate::id::{ApplicationId, ProviderName};
use crate::secret::Secret;

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
    /// Sets an application's own client at a provider, in place of an older one.
    ///
    /// # Errors
    /// [`Denial::ApplicationRefused`] when there is no such application; ports that do not answer.
    pub async fn set_application_credential(
        &self,
        id: &ApplicationId,
        new: NewApplicationCredential,
    ) -> Result<ApplicationCredential, DomainError> {
        let now = self.ports.clock.now();
        let client_secret = match &new.client_secret {
            Some(secret) => {
                let binding = application_binding(id, &new.provider);
                Some(self.ports.sealer.seal(secret, &binding).await?)
            }
            None => None,
        };
        let before = self.known(id).await?.credential(&new.provider).cloned();
        let credential = ApplicationCredential {
            provider: new.provider,
            auth_scheme: new.auth_scheme,
            client_id: new.client_id,
            client_secret,
            callback_url: new.callback_url,
            created: before.map_or(now, |before| before.created),
            modified: now,
        };
        self.change(
            id,
            AuditKind::ApplicationCredentialChanged,
            &Actor::Operator,
            |application| {
                application
                    .credentials
                    .retain(|kept| kept.provider != credential.provider);
                application.credentials.push(credential.clone());
                Ok(())
            },
        )
        .await?;
        Ok(credential)
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
        if self.known(id).await?.credential(provider).is_none() {
            return Ok(false);
        }
        self.change(
            id,
            AuditKind::ApplicationCredentialChanged,
            &Actor::Operator,
            |application| {
                application.credentials.retain(|kept| kept.provider != *provider);
                Ok(())
            },
        )
        .await?;
        Ok(true)
    }
}
