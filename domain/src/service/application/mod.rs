//! Client applications: making, changing and recognising them.

mod clients;

pub use clients::NewApplicationCredential;

use serde_json::{Map, Value};

use super::{STALE_RETRIES, Services};
use crate::application::{Application, ApplicationDetails, ApplicationKeys, KeyType};
use crate::audit::{Actor, AuditEvent, AuditKind};
use crate::error::{Denial, DomainError, Fault};
use crate::id::ApplicationId;
use crate::limits::Verdict;
use crate::origin::Origin;
use crate::ports::PortError;
use crate::secret::Token;
use crate::time::Timestamp;
use crate::user::Revision;

/// Longest name of an application, in characters.
const MAX_NAME: usize = 200;

/// What is to be changed about an application; what is none stays.
#[derive(Clone, Debug, Default)]
pub struct ApplicationChange {
    /// Its name.
    pub name: Option<String>,
    /// Whether its keys open anything.
    pub enabled: Option<bool>,
    /// What is said about it, to be laid over what is said now; a null removes a property.
    pub details: Map<String, Value>,
    /// Whether what is said now is forgotten first.
    pub replaces: bool,
}

impl Services {
    /// Makes an application. The keys are shown this once.
    ///
    /// # Errors
    /// [`Denial::Invalid`] for a blank or overlong name; ports that do not answer.
    pub async fn create_application(
        &self,
        name: &str,
        details: ApplicationDetails,
        by: &Actor,
    ) -> Result<(Application, ApplicationKeys), DomainError> {
        let name = sound_name(name)?;
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
            name,
            keys: keys.hashed(),
            credentials: Vec::new(),
            mappings: Vec::new(),
            disabled: None,
            details,
            created: now,
            modified: now,
        };
        self.ports.applications.create_application(&application).await?;
        self.note_application(AuditKind::ApplicationCreated, &application.id, by)
            .await?;
        Ok((application, keys))
    }

    /// Changes an application; none where there is none of that id.
    ///
    /// # Errors
    /// [`Denial::Invalid`] with every fault; ports that do not answer.
    pub async fn change_application(
        &self,
        id: &ApplicationId,
        change: &ApplicationChange,
        by: &Actor,
    ) -> Result<Option<Application>, DomainError> {
        let name = change.name.as_deref().map(sound_name).transpose()?;
        let now = self.ports.clock.now();
        let changed = self
            .change(id, AuditKind::ApplicationChanged, by, |application| {
                if change.replaces {
                    application.details = ApplicationDetails::default();
                }
                let details = application.details.patched(change.details.clone());
                application.details = details.map_err(Denial::Invalid)?;
                if let Some(name) = &name {
                    application.name.clone_from(name);
                }
                if let Some(enabled) = change.enabled {
                    application.disabled = since(application.disabled, !enabled, now);
                }
                Ok(())
            })
            .await;
        found(changed)
    }

    /// Gives an application new keys, shown this once; the former ones open nothing from this moment on. None where there is none
    /// of that id.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn reset_application_keys(
        &self,
        id: &ApplicationId,
        by: &Actor,
    ) -> Result<Option<(Application, ApplicationKeys)>, DomainError> {
        let keys = ApplicationKeys::draw(self.ports.entropy.open().as_mut());
        let changed = self
            .change(id, AuditKind::ApplicationKeysReset, by, |application| {
                application.keys = keys.hashed();
                Ok(())
            })
            .await;
        Ok(found(changed)?.map(|application| (application, keys)))
    }

    /// Deletes an application, and says whether there was one. What people granted it stays with the people.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn delete_application(&self, id: &ApplicationId, by: &Actor) -> Result<bool, DomainError> {
        for _ in 0..STALE_RETRIES {
            let Some(application) = self.find_application(id).await? else {
                return Ok(false);
            };
            let deleted = self
                .ports
                .applications
                .delete_application(id, application.revision);
            match deleted.await {
                Ok(()) => {
                    self.note_application(AuditKind::ApplicationDeleted, id, by)
                        .await?;
                    return Ok(true);
                }
                Err(PortError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(PortError::Stale.into())
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
            let now = self.ports.clock.now();
            let event = AuditEvent::of_request(now, AuditKind::ApplicationRefused, None, origin, &self.key);
            self.note(&event).await?;
            return Err(Denial::ApplicationRefused.into());
        };
        self.ports
            .limiter
            .give_back(&taken, self.ports.clock.now())
            .await?;
        let call = self.policy.limits.application_call(id);
        if let Verdict::Denied { retry_after, .. } = self.take(&call).await? {
            return Err(Denial::Limited { retry_after }.into());
        }
        Ok(recognised)
    }

    /// Which application this is, by a key that is a secret: those that ship inside programs prove nothing.
    ///
    /// # Errors
    /// As [`Services::authenticate_application`].
    pub async fn prove_application(
        &self,
        id: &ApplicationId,
        key: &Token,
        origin: &Origin,
    ) -> Result<Application, DomainError> {
        let (application, kind) = self.authenticate_application(id, key, origin).await?;
        let proven = (!kind.is_public()).then_some(application);
        Ok(proven.ok_or(Denial::ApplicationRefused)?)
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

    async fn known(&self, id: &ApplicationId) -> Result<Application, DomainError> {
        let found = self.find_application(id).await?;
        Ok(found.ok_or(Denial::ApplicationRefused)?)
    }

    /// Decides a change on what is stored now, again when somebody was faster.
    async fn change(
        &self,
        id: &ApplicationId,
        kind: AuditKind,
        by: &Actor,
        change: impl Fn(&mut Application) -> Result<(), Denial> + Sync,
    ) -> Result<Application, DomainError> {
        for _ in 0..STALE_RETRIES {
            let before = self.known(id).await?;
            let mut next = before.changed(self.ports.clock.now());
            change(&mut next)?;
            let committed = self.ports.applications.commit_application(&next, before.revision);
            match committed.await {
                Ok(()) => {
                    self.note_application(kind, id, by).await?;
                    return Ok(next);
                }
                Err(PortError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    async fn note_application(
        &self,
        kind: AuditKind,
        id: &ApplicationId,
        by: &Actor,
    ) -> Result<(), DomainError> {
        let now = self.ports.clock.now();
        let event = AuditEvent::of_server(now, kind, None, by.clone()).about(id.to_string());
        Ok(self.note(&event).await?)
    }
}

/// A name without blanks around it.
fn sound_name(name: &str) -> Result<String, Denial> {
    let name = name.trim();
    let fault = |code, message| {
        Denial::Invalid(vec![Fault {
            property: "name",
            code,
            message,
            value: None,
        }])
    };
    if name.is_empty() {
        return Err(fault("presence", "can't be blank"));
    }
    if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(fault("custom.name", "is invalid"));
    }
    Ok(name.to_owned())
}

/// Since when something is so that is to be so or not from now on.
const fn since(before: Option<Timestamp>, is: bool, now: Timestamp) -> Option<Timestamp> {
    match (is, before) {
        (false, _) => None,
        (true, None) => Some(now),
        (true, since) => since,
    }
}

/// The application that was changed; none where there is none of that id.
fn found(changed: Result<Application, DomainError>) -> Result<Option<Application>, DomainError> {
    match changed {
        Ok(application) => Ok(Some(application)),
        Err(DomainError::Denied(Denial::ApplicationRefused)) => Ok(None),
        Err(error) => Err(error),
    }
}
