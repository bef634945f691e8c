//! Roles, rules, and who has which role.

use async_trait::async_trait;
use domain::access::{AccessState, RoleMapping};
use domain::id::{PoolName, RoleId, RoleMappingId, UserId, UserKey};
use domain::ports::{AccessStore, PortError, RoleMembers};
use domain::user::Revision;

use super::World;

#[async_trait]
impl AccessStore for World {
    async fn read_access(&self, known: Option<Revision>) -> Result<Option<AccessState>, PortError> {
        self.tick();
        let contents = self.contents();
        Ok((known != Some(contents.access.revision)).then(|| contents.access.clone()))
    }

    async fn commit_access(&self, next: &AccessState, expected: Revision) -> Result<(), PortError> {
        self.tick();
        let mut contents = self.contents();
        if contents.access.revision != expected {
            return Err(PortError::Stale);
        }
        contents.access = next.clone();
        Ok(())
    }
}

#[async_trait]
impl RoleMembers for World {
    async fn members(
        &self,
        pool: &PoolName,
        role: &RoleId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, RoleMapping)>, PortError> {
        self.tick();
        let contents = self.contents();
        let users = contents.users.values().filter(|user| user.key.pool == *pool);
        let later = users.filter(|user| after.as_ref().is_none_or(|after| user.key.id > *after));
        let members = later.filter_map(|user| {
            let mapping = user.mappings.iter().find(|mapping| mapping.role == *role)?;
            Some((user.key.id.clone(), mapping.clone()))
        });
        Ok(members.take(limit).collect())
    }

    async fn count_members(&self, pool: &PoolName, role: &RoleId) -> Result<u64, PortError> {
        let all = self.members(pool, role, None, usize::MAX).await?;
        Ok(u64::try_from(all.len()).unwrap_or(u64::MAX))
    }

    async fn holder_of(&self, mapping: &RoleMappingId) -> Result<Option<UserKey>, PortError> {
        self.tick();
        let contents = self.contents();
        let mut users = contents.users.values();
        let holder = users.find(|user| user.mappings.iter().any(|held| held.id == *mapping));
        Ok(holder.map(|user| user.key.clone()))
    }
}
