//! Roles and access rules, one document; and the way from a role to its users.

use async_trait::async_trait;
use domain::access::{AccessState, RoleMapping};
use domain::id::{PoolName, RoleId, RoleMappingId, UserId, UserKey};
use domain::ports::{AccessStore, PortError, RoleMembers};
use domain::user::Revision;
use mongodb::bson::{Document, doc};

use crate::documents::{ACCESS, USERS, ids_after, of_access, revision, to_access, to_user};
use crate::store::MongoStore;

#[async_trait]
impl AccessStore for MongoStore {
    async fn read_access(&self, known: Option<Revision>) -> Result<Option<AccessState>, PortError> {
        let found = self
            .run(|base| async move { base.first(ACCESS, doc! { "_id": ACCESS }).await })
            .await?;
        let state = match found {
            Some(document) => {
                let stored = document.get_i64("revision").ok();
                if known.is_some_and(|known| stored == Some(revision(known))) {
                    return Ok(None);
                }
                to_access(document)?
            }
            None => AccessState::default(),
        };
        Ok((known != Some(state.revision)).then_some(state))
    }

    async fn commit_access(&self, next: &AccessState, expected: Revision) -> Result<(), PortError> {
        let document = of_access(next)?;
        if expected == Revision::default() {
            let made = self
                .run(|base| async move {
                    base.of(ACCESS).insert_one(document).await?;
                    Ok(())
                })
                .await;
            // Somebody else stored the first one.
            return made.map_err(|error| match error {
                PortError::Duplicate(_) => PortError::Stale,
                other => other,
            });
        }
        let guard = doc! { "_id": ACCESS, "revision": revision(expected) };
        let replaced = self
            .run(|base| async move { Ok(base.of(ACCESS).replace_one(guard, document).await?) })
            .await?;
        if replaced.matched_count == 1 {
            Ok(())
        } else {
            Err(PortError::Stale)
        }
    }
}

fn with_role(pool: &PoolName, role: &RoleId) -> Document {
    doc! { "pool": pool.as_str(), "roles": role.as_str() }
}

#[async_trait]
impl RoleMembers for MongoStore {
    async fn members(
        &self,
        pool: &PoolName,
        role: &RoleId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, RoleMapping)>, PortError> {
        let mut filter = with_role(pool, role);
        filter.insert("_id", ids_after(pool, after.as_ref().map(UserId::as_str)));
        let found = self
            .run(|base| async move { base.all(USERS, filter, doc! { "_id": 1 }, limit).await })
            .await?;
        let mut members = Vec::with_capacity(found.len());
        for document in found {
            let user = to_user(document)?;
            let by = user.mappings.iter().find(|mapping| mapping.role == *role);
            members.extend(by.map(|mapping| (user.key.id.clone(), mapping.clone())));
        }
        Ok(members)
    }

    async fn count_members(&self, pool: &PoolName, role: &RoleId) -> Result<u64, PortError> {
        let filter = with_role(pool, role);
        self.run(|base| async move { Ok(base.of(USERS).count_documents(filter).await?) })
            .await
    }

    async fn holder_of(&self, mapping: &RoleMappingId) -> Result<Option<UserKey>, PortError> {
        let filter = doc! { "mappings": mapping.as_str() };
        let found = self
            .run(|base| async move { base.first(USERS, filter).await })
            .await?;
        let user = found.map(to_user).transpose()?;
        Ok(user.map(|user| user.key))
    }
}
