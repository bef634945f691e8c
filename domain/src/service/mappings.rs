//! Who has which role. A mapping stands on its principal (a user, an application, a role) and goes with it.

use std::sync::Arc;

use super::{STALE_RETRIES, Services};
use crate::access::{Held, Principal, RoleMapping};
use crate::application::Application;
use crate::audit::{Actor, AuditKind};
use crate::error::DomainError;
use crate::id::{ApplicationId, PoolName, RoleId, RoleMappingId, UserId, UserKey};
use crate::ports::PortError;

/// Principals read from a store at once.
const PAGE: usize = 200;

impl Services {
    /// Gives somebody a role; the mapping they have it by already, if they do. None where there is no such role, or nobody of that id.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn give_role(
        &self,
        principal: &Principal,
        role: &RoleId,
        by: Actor,
    ) -> Result<Option<RoleMapping>, DomainError> {
        if self.access().await?.role(role).is_none() {
            return Ok(None);
        }
        let now = self.ports.clock.now();
        let mapping = RoleMapping {
            id: RoleMappingId::draw(now, self.ports.entropy.open().as_mut()),
            role: role.clone(),
            created: now,
        };
        let new = mapping.id.clone();
        let held = match principal {
            Principal::User(key) => self.give_to_user(key, mapping).await?,
            Principal::Application(id) => self.give_to_application(id, mapping).await?,
            Principal::Role(holder) => self.give_to_role(holder, mapping).await?,
        };
        if let Some(given) = held.as_ref().filter(|held| held.id == new) {
            self.note_mapping(AuditKind::RoleGiven, principal, given, by)
                .await?;
        }
        Ok(held)
    }

    /// Takes a role from whoever has it by that mapping, and says whether anybody did. It counts at once, on every node.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn take_role(&self, id: &RoleMappingId, by: Actor) -> Result<bool, DomainError> {
        let Some(held) = self.find_mapping(id).await? else {
            return Ok(false);
        };
        let taken = match &held.principal {
            Principal::User(key) => self.take_from_user(key, id).await?,
            Principal::Application(application) => self.take_from_application(application, id).await?,
            Principal::Role(_) => {
                let change = self.change_access(|state| Ok(state.without_mapping(id)));
                change.await?.is_some()
            }
        };
        if taken {
            self.note_mapping(AuditKind::RoleTaken, &held.principal, &held.mapping, by)
                .await?;
        }
        Ok(taken)
    }

    /// The mapping of an id, with whoever has it.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn find_mapping(&self, id: &RoleMappingId) -> Result<Option<Held>, DomainError> {
        if let Some((role, mapping)) = self.access().await?.holder_of(id) {
            return Ok(Some(Held {
                principal: Principal::Role(role.id.clone()),
                mapping: mapping.clone(),
            }));
        }
        if let Some(key) = self.ports.members.holder_of(id).await? {
            let user = self.ports.users.find(&key).await?;
            let mapping = user.and_then(|user| user.mappings.iter().find(|held| held.id == *id).cloned());
            let principal = Principal::User(key);
            return Ok(mapping.map(|mapping| Held { principal, mapping }));
        }
        let all = self.every_application().await?;
        let held = all.iter().find_map(|application| {
            let mut mappings = application.mappings.iter();
            let mapping = mappings.find(|held| held.id == *id)?.clone();
            let principal = Principal::Application(application.id.clone());
            Some(Held { principal, mapping })
        });
        Ok(held)
    }

    /// The roles that somebody was given, as they were given; none where there is nobody of that id.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn mappings_of(&self, principal: &Principal) -> Result<Option<Vec<RoleMapping>>, DomainError> {
        Ok(match principal {
            Principal::User(key) => {
                let user = self.ports.users.find(key).await?;
                user.map(|user| user.mappings.to_vec())
            }
            Principal::Application(id) => {
                let application = self.ports.applications.find_application(id).await?;
                application.map(|application| application.mappings)
            }
            Principal::Role(id) => self.access().await?.role(id).map(|role| role.mappings.clone()),
        })
    }

    /// Up to `limit` principals of a role: the users of each pool in the order of their ids, then applications, then roles.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn principals_of(&self, role: &RoleId, limit: usize) -> Result<Vec<Held>, DomainError> {
        let mut held = Vec::new();
        for pool in self.policy.pools.keys() {
            let mut after = None;
            while held.len() < limit {
                let wanted = PAGE.min(limit - held.len());
                let page = self.members(pool, role, after.take(), wanted).await?;
                let is_last = page.len() < wanted;
                after = page.last().map(|(id, _)| id.clone());
                held.extend(page.into_iter().map(|(id, mapping)| Held {
                    principal: Principal::User(UserKey {
                        pool: pool.clone(),
                        id,
                    }),
                    mapping,
                }));
                if is_last {
                    break;
                }
            }
        }
        let of = |mappings: &[RoleMapping]| mappings.iter().find(|held| held.role == *role).cloned();
        for application in self.every_application().await? {
            held.extend(of(&application.mappings).map(|mapping| Held {
                principal: Principal::Application(application.id.clone()),
                mapping,
            }));
        }
        for holder in self.access().await?.roles.iter() {
            held.extend(of(&holder.mappings).map(|mapping| Held {
                principal: Principal::Role(holder.id.clone()),
                mapping,
            }));
        }
        held.truncate(limit);
        Ok(held)
    }

    /// How many principals a role has.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn count_principals(&self, role: &RoleId) -> Result<u64, DomainError> {
        let mut count = 0_u64;
        for pool in self.policy.pools.keys() {
            count += self.ports.members.count_members(pool, role).await?;
        }
        let has = |mappings: &[RoleMapping]| mappings.iter().any(|held| held.role == *role);
        let applications = self.every_application().await?;
        let others = applications
            .iter()
            .filter(|application| has(&application.mappings));
        let access = self.access().await?;
        let roles = access.roles.iter().filter(|holder| has(&holder.mappings));
        Ok(count + u64::try_from(others.count() + roles.count()).unwrap_or(u64::MAX))
    }

    /// Up to `limit` users of a pool who have a role, in the order of their ids, beginning after `after`.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn members(
        &self,
        pool: &PoolName,
        role: &RoleId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, RoleMapping)>, DomainError> {
        Ok(self.ports.members.members(pool, role, after, limit).await?)
    }

    async fn every_application(&self) -> Result<Vec<Application>, DomainError> {
        let mut all: Vec<Application> = Vec::new();
        loop {
            let after = all.last().map(|application| application.id.clone());
            let page = self.ports.applications.list_applications(after, PAGE).await?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    async fn give_to_user(
        &self,
        key: &UserKey,
        mapping: RoleMapping,
    ) -> Result<Option<RoleMapping>, DomainError> {
        for _ in 0..STALE_RETRIES {
            let Some(user) = self.ports.users.find(key).await? else {
                return Ok(None);
            };
            if let Some(held) = user.mappings.iter().find(|held| held.role == mapping.role) {
                return Ok(Some(held.clone()));
            }
            let mut next = user.changed(self.ports.clock.now());
            Arc::make_mut(&mut next.mappings).push(mapping.clone());
            match self.ports.users.commit(&next, user.revision).await {
                Ok(()) => return Ok(Some(mapping)),
                Err(PortError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    async fn take_from_user(&self, key: &UserKey, id: &RoleMappingId) -> Result<bool, DomainError> {
        for _ in 0..STALE_RETRIES {
            let Some(user) = self.ports.users.find(key).await? else {
                return Ok(false);
            };
            if !user.mappings.iter().any(|held| held.id == *id) {
                return Ok(false);
            }
            let mut next = user.changed(self.ports.clock.now());
            Arc::make_mut(&mut next.mappings).retain(|held| held.id != *id);
            match self.ports.users.commit(&next, user.revision).await {
                Ok(()) => return Ok(true),
                Err(PortError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    async fn give_to_application(
        &self,
        id: &ApplicationId,
        mapping: RoleMapping,
    ) -> Result<Option<RoleMapping>, DomainError> {
        let given = self
            .change_mappings(id, |held| {
                if let Some(held) = held.iter().find(|held| held.role == mapping.role) {
                    return Err(held.clone());
                }
                held.push(mapping.clone());
                Ok(())
            })
            .await?;
        Ok(given.map(|given| given.err().unwrap_or(mapping)))
    }

    async fn take_from_application(
        &self,
        id: &ApplicationId,
        mapping: &RoleMappingId,
    ) -> Result<bool, DomainError> {
        let taken = self
            .change_mappings(id, |held| {
                let before = held.len();
                held.retain(|held| held.id != *mapping);
                if held.len() < before { Ok(()) } else { Err(()) }
            })
            .await?;
        Ok(taken.is_some_and(|taken| taken.is_ok()))
    }

    /// Changes what an application was given, again when somebody was faster; nothing is stored where the change is an error. None where
    /// there is no such application.
    async fn change_mappings<T: Send>(
        &self,
        id: &ApplicationId,
        change: impl Fn(&mut Vec<RoleMapping>) -> Result<(), T> + Sync,
    ) -> Result<Option<Result<(), T>>, DomainError> {
        for _ in 0..STALE_RETRIES {
            let Some(application) = self.ports.applications.find_application(id).await? else {
                return Ok(None);
            };
            let mut next = application.changed(self.ports.clock.now());
            if let Err(kept) = change(&mut next.mappings) {
                return Ok(Some(Err(kept)));
            }
            let commit = self
                .ports
                .applications
                .commit_application(&next, application.revision);
            match commit.await {
                Ok(()) => return Ok(Some(Ok(()))),
                Err(PortError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(PortError::Stale.into())
    }

    async fn give_to_role(
        &self,
        holder: &RoleId,
        mapping: RoleMapping,
    ) -> Result<Option<RoleMapping>, DomainError> {
        let changed = self
            .change_access(|state| Ok(state.with_mapping(holder, mapping.clone())))
            .await?;
        if changed.is_some() {
            return Ok(Some(mapping));
        }
        let state = self.access().await?;
        let held = state.role(holder).and_then(|role| {
            let mut mappings = role.mappings.iter();
            mappings.find(|held| held.role == mapping.role).cloned()
        });
        Ok(held)
    }

    async fn note_mapping(
        &self,
        kind: AuditKind,
        principal: &Principal,
        mapping: &RoleMapping,
        by: Actor,
    ) -> Result<(), DomainError> {
        let (about, whose) = match principal {
            Principal::User(key) => (Some(key.clone()), String::new()),
            Principal::Application(id) => (None, format!(" application {id}")),
            Principal::Role(id) => (None, format!(" role {id}")),
        };
        let detail = format!("{} {}{whose}", mapping.role, mapping.id);
        self.note_access(kind, about, by, detail).await
    }
}
