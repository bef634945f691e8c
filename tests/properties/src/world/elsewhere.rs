//! What accounts elsewhere need: applications, providers, a sealer, a timer.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use domain::application::Application;
use domain::id::{ApplicationId, EntryName};
use domain::ports::{
    ApplicationStore, PortError, ProviderBinding, ProviderDirectory, SealBinding, Sealer, Timer, UniqueKey,
};
use domain::secret::{Sealed, Secret};
use domain::time::Lifetime;
use domain::user::Revision;

use super::{Contents, World};

impl Contents {
    fn application_at(&self, id: &ApplicationId, expected: Revision) -> Result<(), PortError> {
        match self.applications.get(id) {
            Some(application) if application.revision == expected => Ok(()),
            _ => Err(PortError::Stale),
        }
    }
}

#[async_trait]
impl ApplicationStore for World {
    async fn create_application(&self, application: &Application) -> Result<(), PortError> {
        self.tick();
        let mut contents = self.contents();
        if contents.applications.contains_key(&application.id) {
            return Err(PortError::Duplicate(UniqueKey::Id));
        }
        contents
            .applications
            .insert(application.id.clone(), application.clone());
        Ok(())
    }

    async fn find_application(&self, id: &ApplicationId) -> Result<Option<Application>, PortError> {
        self.tick();
        Ok(self.contents().applications.get(id).cloned())
    }

    async fn commit_application(&self, next: &Application, expected: Revision) -> Result<(), PortError> {
        self.tick();
        let mut contents = self.contents();
        contents.application_at(&next.id, expected)?;
        contents.applications.insert(next.id.clone(), next.clone());
        Ok(())
    }

    async fn delete_application(&self, id: &ApplicationId, expected: Revision) -> Result<(), PortError> {
        self.tick();
        let mut contents = self.contents();
        contents.application_at(id, expected)?;
        contents.applications.remove(id);
        Ok(())
    }

    async fn list_applications(
        &self,
        after: Option<ApplicationId>,
        limit: usize,
    ) -> Result<Vec<Application>, PortError> {
        self.tick();
        let contents = self.contents();
        let all = contents.applications.values();
        let later = all.filter(|application| after.as_ref().is_none_or(|after| application.id > *after));
        Ok(later.take(limit).cloned().collect())
    }
}

impl ProviderDirectory for World {
    fn find(&self, name: &EntryName) -> Option<Arc<ProviderBinding>> {
        let all = self.all();
        all.into_iter().find(|binding| binding.entry.name == *name)
    }

    fn all(&self) -> Vec<Arc<ProviderBinding>> {
        self.providers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What a value is bound to, as it stands before it. Debug output of a text is quoted, so that no two bindings read alike.
fn bound(binding: &SealBinding) -> String {
    format!("{binding:?}\n")
}

/// Hides nothing, but holds every value to its binding: here the rules are on trial, not the cipher.
#[async_trait]
impl Sealer for World {
    async fn seal(&self, secret: &Secret, binding: &SealBinding) -> Result<Sealed, PortError> {
        self.tick();
        let text = format!("{}{}", bound(binding), secret.expose());
        Ok(Sealed::from_bytes(text.into_bytes()))
    }

    async fn open(&self, sealed: &Sealed, binding: &SealBinding) -> Result<Secret, PortError> {
        self.tick();
        let secret = sealed.as_bytes().strip_prefix(bound(binding).as_bytes());
        let text = secret.and_then(|secret| std::str::from_utf8(secret).ok());
        text.map(Secret::new)
            .ok_or_else(|| PortError::corrupt("a sealed value"))
    }

    fn is_current(&self, _: &Sealed) -> bool {
        true
    }
}

/// Time passes by hand alone.
#[async_trait]
impl Timer for World {
    async fn sleep(&self, _: Lifetime) {
        self.tick();
    }
}
