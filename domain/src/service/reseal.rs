//! Sealing everything anew after the keys were rotated.

use std::sync::Arc;

use super::Services;
use super::factors::totp_binding;
use super::grants::application_binding;
use crate::application::Application;
use crate::error::DomainError;
use crate::flow::link::credential_binding;
use crate::id::PoolName;
use crate::ports::{PortError, SealBinding};
use crate::secret::Sealed;
use crate::user::User;

/// Records read at once.
const PAGE: usize = 100;

/// How often one record is tried that changes all the time.
const TRIES: usize = 20;

/// What was sealed anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Users and applications looked at.
    pub records: u64,
    /// Values sealed under the newest key now that were not before.
    pub values: u64,
}

impl Services {
    /// Seals every stored secret under the newest key, record by record, while everything else goes on. Safe to run again.
    ///
    /// # Errors
    /// Ports that do not answer, and values that no key opens; what was done stays done.
    pub async fn reseal(&self) -> Result<Resealed, DomainError> {
        let mut done = Resealed::default();
        let pools: Vec<PoolName> = self.policy.pools.keys().cloned().collect();
        for pool in pools {
            self.reseal_pool(&pool, &mut done).await?;
        }
        let mut after = None;
        loop {
            let page = self
                .ports
                .applications
                .list_applications(after.clone(), PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            for application in page {
                done.records += 1;
                done.values += self.reseal_application(application).await?;
            }
        }
        Ok(done)
    }

    async fn reseal_pool(&self, pool: &PoolName, done: &mut Resealed) -> Result<(), DomainError> {
        let mut after = None;
        loop {
            let page = self.ports.users.list(pool, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.key.id.clone());
            for user in page {
                done.records += 1;
                done.values += self.reseal_user(user).await?;
            }
        }
    }

    async fn reseal_user(&self, user: User) -> Result<u64, DomainError> {
        let mut user = user;
        for _ in 0..TRIES {
            let old = |user: &User| {
                let sealed = user.credentials.iter().map(|credential| &credential.tokens);
                let apps = user.factors.totp.iter().map(|app| &app.secret);
                sealed
                    .chain(apps)
                    .filter(|sealed| !self.ports.sealer.is_current(sealed))
                    .count()
            };
            let count = old(&user);
            if count == 0 {
                return Ok(0);
            }
            let mut next = user.changed(user.modified);
            for credential in Arc::make_mut(&mut next.credentials) {
                let Some(identity) = user.identity(&credential.identity) else {
                    continue;
                };
                let (entry, client) = (&credential.entry, &credential.client_id);
                let binding = credential_binding(&user.key, &identity.key, entry, client);
                credential.tokens = self.renewed(&credential.tokens, &binding).await?;
            }
            if !user.factors.totp.is_empty() {
                for app in &mut Arc::make_mut(&mut next.factors).totp {
                    let binding = totp_binding(&user.key, &app.id);
                    app.secret = self.renewed(&app.secret, &binding).await?;
                }
            }
            match self.ports.users.commit(&next, user.revision).await {
                Ok(()) => return Ok(u64::try_from(count).unwrap_or(u64::MAX)),
                Err(PortError::Stale) => match self.ports.users.find(&user.key).await? {
                    Some(reread) => user = reread,
                    None => return Ok(0),
                },
                Err(error) => return Err(error.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    async fn reseal_application(&self, application: Application) -> Result<u64, DomainError> {
        let mut application = application;
        for _ in 0..TRIES {
            let mut next = application.changed(application.modified);
            let mut count = 0;
            for credential in &mut next.credentials {
                let Some(sealed) = credential.client_secret.clone() else {
                    continue;
                };
                if self.ports.sealer.is_current(&sealed) {
                    continue;
                }
                let binding = application_binding(&application.id, &credential.provider);
                credential.client_secret = Some(self.renewed(&sealed, &binding).await?);
                count += 1;
            }
            if count == 0 {
                return Ok(0);
            }
            let stored = self
                .ports
                .applications
                .commit_application(&next, application.revision);
            match stored.await {
                Ok(()) => return Ok(count),
                Err(PortError::Stale) => {
                    match self.ports.applications.find_application(&application.id).await? {
                        Some(reread) => application = reread,
                        None => return Ok(0),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    async fn renewed(&self, sealed: &Sealed, binding: &SealBinding) -> Result<Sealed, PortError> {
        let secret = self.ports.sealer.open(sealed, binding).await?;
        self.ports.sealer.seal(&secret, binding).await
    }
}
