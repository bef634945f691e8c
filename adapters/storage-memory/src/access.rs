//! Roles, access rules, and the way from a role to its users.

use std::ops::Bound;

use async_trait::async_trait;
use domain::access::{AccessState, RoleMapping};
use domain::id::{PoolName, RoleId, RoleMappingId, UserId, UserKey};
use domain::ports::{AccessStore, PortError, RoleMembers};
use domain::user::{Revision, User};

use crate::{MemoryStore, locked};

#[async_trait]
impl AccessStore for MemoryStore {
    async fn read_access(&self, known: Option<Revision>) -> Result<Option<AccessState>, PortError> {
        let state = locked(&self.access);
        Ok((known != Some(state.revision)).then(|| state.clone()))
    }

    async fn commit_access(&self, next: &AccessState, expected: Revision) -> Result<(), PortError> {
        let mut state = locked(&self.access);
        if state.revision != expected {
            return Err(PortError::Stale);
        }
        *state = next.clone();
        Ok(())
    }
}

/// By which mapping somebody has a role.
fn mapping_of<'u>(user: &'u User, role: &RoleId) -> Option<&'u RoleMapping> {
    user.mappings.iter().find(|mapping| mapping.role == *role)
}

#[async_trait]
impl RoleMembers for MemoryStore {
    async fn members(
        &self,
        pool: &PoolName,
        role: &RoleId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, RoleMapping)>, PortError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let users = self.read();
        let page = users.of(pool, from).filter_map(|user| {
            let mapping = mapping_of(user, role)?;
            Some((user.key.id.clone(), mapping.clone()))
        });
        Ok(page.take(limit).collect())
    }

    async fn count_members(&self, pool: &PoolName, role: &RoleId) -> Result<u64, PortError> {
        let users = self.read();
        let members = users
            .of(pool, Bound::Unbounded)
            .filter(|user| mapping_of(user, role).is_some());
        Ok(members.fold(0, |count, _| count + 1))
    }

    async fn holder_of(&self, mapping: &RoleMappingId) -> Result<Option<UserKey>, PortError> {
        let users = self.read();
        let mut all = users.all();
        let holder = all.find(|user| user.mappings.iter().any(|given| given.id == *mapping));
        Ok(holder.map(|user| user.key.clone()))
    }
}
