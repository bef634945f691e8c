//! Users. Each is one document, so that a guarded replacement of it is the whole of a commit.

use std::sync::Arc;

use async_trait::async_trait;
use domain::endings::Ending;
use domain::id::{PoolName, UserId, UserKey};
use domain::ports::{LookupKey, PortError, UserStore};
use domain::time::Lifetime;
use domain::user::{Revision, User};
use mongodb::bson::{Document, doc};

use crate::connection::Base;
use crate::documents::{FLOWS, SESSIONS, USERS, id_of_user, ids_after, of_user, revision, to_user};
use crate::error::Answer;
use crate::store::{MongoStore, detach};

/// Whether a user is there.
pub(crate) async fn is_there(base: &Base, id: &str) -> Answer<bool> {
    let found = base.first(USERS, doc! { "_id": id }).await?;
    Ok(found.is_some())
}

/// A user at a revision.
fn guard(key: &UserKey, expected: Revision) -> Document {
    doc! { "_id": id_of_user(key), "revision": revision(expected) }
}

impl MongoStore {
    async fn first_user(&self, filter: Document) -> Result<Option<User>, PortError> {
        let found = self
            .run(|base| async move { base.first(USERS, filter).await })
            .await?;
        found.map(to_user).transpose()
    }

    async fn remove_user(&self, key: &UserKey, expected: Revision) -> Result<(), PortError> {
        let (guard, forgetting) = (guard(key, expected), self.recent.forgetting(key));
        let removed = self
            .run(|base| async move {
                let removed = base.of(USERS).delete_one(guard).await;
                drop(forgetting);
                Ok(removed?.deleted_count)
            })
            .await?;
        if removed == 1 {
            Ok(())
        } else {
            Err(PortError::Stale)
        }
    }

    /// Removes what a user who is gone leaves behind. Nothing new comes: whoever opens something looks for the user afterwards.
    async fn sweep(&self, key: &UserKey) -> Result<(), PortError> {
        let owner = id_of_user(key);
        self.run(|base| async move {
            for collection in [SESSIONS, FLOWS] {
                base.of(collection).delete_many(doc! { "owner": &owner }).await?;
            }
            Ok(())
        })
        .await?;
        let (user, spare) = (key.clone(), None);
        self.endings.record(Ending::SessionsOf { user, spare });
        Ok(())
    }
}

#[async_trait]
impl UserStore for MongoStore {
    async fn create(&self, user: &User) -> Result<(), PortError> {
        let (document, forgetting) = (of_user(user)?, self.recent.forgetting(&user.key));
        self.run(|base| async move {
            let made = base.of(USERS).insert_one(document).await;
            drop(forgetting);
            made?;
            Ok(())
        })
        .await
    }

    async fn find(&self, key: &UserKey) -> Result<Option<User>, PortError> {
        self.first_user(doc! { "_id": id_of_user(key) }).await
    }

    async fn find_recent(&self, key: &UserKey, at_most: Lifetime) -> Result<Option<User>, PortError> {
        if let Some(user) = self.recent.get(key, at_most.into()) {
            return Ok(Some(User::clone(&user)));
        }
        let ticket = self.recent.ticket(key);
        let found = UserStore::find(self, key).await?;
        if let Some(user) = &found {
            self.recent.keep(key, ticket, Arc::new(user.clone()));
        }
        Ok(found)
    }

    async fn find_by(&self, pool: &PoolName, key: &LookupKey) -> Result<Option<User>, PortError> {
        let (field, key) = match key {
            LookupKey::Email(key) => ("email_key", key),
            LookupKey::Username(key) => ("username_key", key),
            LookupKey::Identity(key) => ("identity_keys", key),
        };
        self.first_user(doc! { "pool": pool.as_str(), field: key }).await
    }

    async fn commit(&self, next: &User, expected: Revision) -> Result<(), PortError> {
        let (document, guard) = (of_user(next)?, guard(&next.key, expected));
        let forgetting = self.recent.forgetting(&next.key);
        let replaced = self
            .run(|base| async move {
                let replaced = base.of(USERS).replace_one(guard, document).await;
                drop(forgetting);
                Ok(replaced?.matched_count)
            })
            .await?;
        if replaced == 1 {
            Ok(())
        } else {
            Err(PortError::Stale)
        }
    }

    async fn delete(&self, key: &UserKey, expected: Revision) -> Result<(), PortError> {
        let (store, key) = (self.clone(), key.clone());
        detach(async move {
            store.remove_user(&key, expected).await?;
            store.sweep(&key).await
        })
        .await
    }

    async fn list(
        &self,
        pool: &PoolName,
        after: Option<&'_ UserId>,
        limit: usize,
    ) -> Result<Vec<User>, PortError> {
        let filter = doc! { "_id": ids_after(pool, after.map(UserId::as_str)) };
        let found = self
            .run(|base| async move { base.all(USERS, filter, doc! { "_id": 1 }, limit).await })
            .await?;
        found.into_iter().map(to_user).collect()
    }
}
