//! Client applications and their own clients at providers.

use super::grants::application_binding;
use super::{STALE_RETRIES, Services};
use crate::application::{Application, ApplicationCredential, ApplicationDetails, ApplicationKeys, KeyType};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::error::{Denial, DomainError, Fault};
use crate::id::{ApplicationId, ProviderName};
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::ports::PortError;
use crate::secret::{Secret, Token};
use crate::user::Revision;

/// Longest name of an application, in characters.
const MAX_NAME: usize = 200;

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
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(Denial::Invalid(vec![Fault {
                property: "name",
                code: if name.is_empty() {
                    "presence"
                } else {
                    "custom.name"
                },
                message: if name.is_empty() {
                    "can't be blank"
                } else {
                    "is invalid"
                },
                value: None,
            }])
            .into());
        }
        let now = self.ports.clock.now();
        let (id, keys) = {
            let mut entropy = self.ports.entropy.open();
            (
                ApplicationId::draw(entropy.as_mut()),
                ApplicationKeys::draw(entropy.as_mut()),
            )
        };
        let application = Application {
            id,
            revision: Revision::default(),
            name: name.to_owned(),
            keys: keys.hashed(),
            credentials: Vec::new(),
            mappings: Vec::new(),
            disabled: None,
            details: ApplicationDetails::default(),
            created: now,
            modified: now,
        };
        self.ports.applications.create_application(&application).await?;
        let detail = application.id.to_string();
        self.note(AuditKind::ApplicationCreated, None, detail).await?;
        Ok((application, keys))
    }

    /// Which application this is, and by which of its keys.
    ///
    /// # Errors
    /// [`Denial::ApplicationRefused`] whatever is wrong; [`Denial::Limited`]; ports that do not answer.
    pub async fn authenticate_application(
        &self,
        id: &ApplicationId,
        key: &Token,
        origin: &Origin,
    ) -> Result<(Application, KeyType), DomainError> {
        let taken = self.policy.limits.token_try(&origin.address);
        if let Verdict::Denied { retry_after, .. } = self.take(&taken).await? {
            return Err(Denial::Limited { retry_after }.into());
        }
        let found = self.ports.applications.find_application(id).await?;
        let recognised = found.and_then(|application| {
            let kind = application.recognise(key)?;
            Some((application, kind))
        });
        let Some(recognised) = recognised else {
            self.note(AuditKind::ApplicationRefused, Some(origin), String::new())
                .await?;
            return Err(Denial::ApplicationRefused.into());
        };
        self.ports
            .limiter
            .give_back(&taken, self.ports.clock.now())
            .await?;
        Ok(recognised)
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
        self.change(id, |application| {
            application
                .credentials
                .retain(|kept| kept.provider != credential.provider);
            application.credentials.push(credential.clone());
        })
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
        self.change(id, |application| {
            application.credentials.retain(|kept| kept.provider != *provider);
        })
        .await?;
        Ok(true)
    }

    async fn known(&self, id: &ApplicationId) -> Result<Application, DomainError> {
        let found = self.ports.applications.find_application(id).await?;
        Ok(found.ok_or(Denial::ApplicationRefused)?)
    }

    async fn change(
        &self,
        id: &ApplicationId,
        change: impl Fn(&mut Application) + Sync,
    ) -> Result<(), DomainError> {
        for _ in 0..STALE_RETRIES {
            let before = self.known(id).await?;
            let mut next = before.changed(self.ports.clock.now());
            change(&mut next);
            match self
                .ports
                .applications
                .commit_application(&next, before.revision)
                .await
            {
                Ok(()) => {
                    let kind = AuditKind::ApplicationCredentialChanged;
                    return self.note(kind, None, id.to_string()).await;
                }
                Err(PortError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    async fn note(
        &self,
        kind: AuditKind,
        origin: Option<&Origin>,
        detail: String,
    ) -> Result<(), DomainError> {
        let now = self.ports.clock.now();
        let event = match origin {
            Some(origin) => AuditEvent::of_request(now, kind, None, origin, &self.key),
            None => AuditEvent::of_server(now, kind, None, Actor::Operator),
        };
        let event = if detail.is_empty() {
            event
        } else {
            event.about(detail)
        };
        Ok(self.ports.audit.append(&event).await?)
    }
}
