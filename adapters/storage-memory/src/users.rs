//! Users.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use domain::id::{PoolName, UserId, UserKey};
use domain::ports::{LookupKey, PortError, UniqueKey, UserStore};
use domain::time::Lifetime;
use domain::user::{Revision, User};

use crate::MemoryStore;

/// The pools.
#[derive(Debug, Default)]
pub(crate) struct Users(BTreeMap<PoolName, Pool>);

/// One pool: its users and who holds which unique key.
#[derive(Debug, Default)]
struct Pool {
    users: BTreeMap<UserId, User>,
    emails: BTreeMap<String, UserId>,
    usernames: BTreeMap<String, UserId>,
    identities: BTreeMap<String, UserId>,
}

impl Pool {
    /// Refuses a user whose address, name or account elsewhere somebody else holds.
    fn admit(&self, user: &User) -> Result<(), PortError> {
        let taken = |keys: &BTreeMap<String, UserId>, key: &str| {
            keys.get(key).is_some_and(|holder| *holder != user.key.id)
        };
        if user.email_key().is_some_and(|key| taken(&self.emails, &key)) {
            return Err(PortError::Duplicate(UniqueKey::Email));
        }
        if user
            .username_key()
            .is_some_and(|key| taken(&self.usernames, &key))
        {
            return Err(PortError::Duplicate(UniqueKey::Username));
        }
        if identity_keys(user).any(|key| taken(&self.identities, &key)) {
            return Err(PortError::Duplicate(UniqueKey::Identity));
        }
        Ok(())
    }

    /// The user who holds a key.
    fn holder(&self, key: &LookupKey) -> Option<&User> {
        let id = match key {
            LookupKey::Email(key) => self.emails.get(key),
            LookupKey::Username(key) => self.usernames.get(key),
            LookupKey::Identity(key) => self.identities.get(key),
        };
        self.users.get(id?)
    }

    /// The stored user, if it is still at that revision.
    fn at_revision(&self, id: &UserId, expected: Revision) -> Result<&User, PortError> {
        self.users
            .get(id)
            .filter(|user| user.revision == expected)
            .ok_or(PortError::Stale)
    }

    fn insert(&mut self, user: &User) {
        let id = &user.key.id;
        if let Some(key) = user.email_key() {
            self.emails.insert(key, id.clone());
        }
        if let Some(key) = user.username_key() {
            self.usernames.insert(key, id.clone());
        }
        for key in identity_keys(user) {
            self.identities.insert(key, id.clone());
        }
        self.users.insert(id.clone(), user.clone());
    }

    fn remove(&mut self, id: &UserId) {
        if let Some(user) = self.users.remove(id) {
            user.email_key().map(|key| self.emails.remove(&key));
            user.username_key().map(|key| self.usernames.remove(&key));
            for key in identity_keys(&user) {
                self.identities.remove(&key);
            }
        }
    }
}

impl Users {
    /// The users of a pool, in the order of their ids.
    pub(crate) fn of<'u>(&'u self, pool: &PoolName, from: Bound<UserId>) -> impl Iterator<Item = &'u User> {
        let pool = self.0.get(pool);
        pool.into_iter()
            .flat_map(move |pool| pool.users.range((from.clone(), Bound::Unbounded)))
            .map(|(_, user)| user)
    }

    /// Everybody.
    pub(crate) fn all(&self) -> impl Iterator<Item = &User> {
        self.0.values().flat_map(|pool| pool.users.values())
    }
}

/// The texts of a user's identities that are unique in the pool.
fn identity_keys(user: &User) -> impl Iterator<Item = String> {
    user.identities.iter().map(|identity| identity.key.to_text())
}

impl MemoryStore {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Users> {
        self.users.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Users> {
        self.users.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl UserStore for MemoryStore {
    async fn create(&self, user: &User) -> Result<(), PortError> {
        let mut users = self.write();
        let pool = users.0.entry(user.key.pool.clone()).or_default();
        if pool.users.contains_key(&user.key.id) {
            return Err(PortError::Duplicate(UniqueKey::Id));
        }
        pool.admit(user)?;
        pool.insert(user);
        Ok(())
    }

    async fn find(&self, key: &UserKey) -> Result<Option<User>, PortError> {
        let users = self.read();
        let pool = users.0.get(&key.pool);
        Ok(pool.and_then(|pool| pool.users.get(&key.id)).cloned())
    }

    async fn find_recent(&self, key: &UserKey, _at_most: Lifetime) -> Result<Option<User>, PortError> {
        self.find(key).await
    }

    async fn find_by(&self, pool: &PoolName, key: &LookupKey) -> Result<Option<User>, PortError> {
        let users = self.read();
        let pool = users.0.get(pool);
        Ok(pool.and_then(|pool| pool.holder(key)).cloned())
    }

    async fn commit(&self, next: &User, expected: Revision) -> Result<(), PortError> {
        let mut users = self.write();
        let pool = users.0.get_mut(&next.key.pool).ok_or(PortError::Stale)?;
        pool.at_revision(&next.key.id, expected)?;
        pool.admit(next)?;
        pool.remove(&next.key.id);
        pool.insert(next);
        Ok(())
    }

    async fn delete(&self, key: &UserKey, expected: Revision) -> Result<(), PortError> {
        let mut users = self.write();
        let pool = users.0.get_mut(&key.pool).ok_or(PortError::Stale)?;
        pool.at_revision(&key.id, expected)?;
        pool.remove(&key.id);
        Ok(())
    }

    async fn list(
        &self,
        pool: &PoolName,
        after: Option<&'_ UserId>,
        limit: usize,
    ) -> Result<Vec<User>, PortError> {
        let users = self.read();
        let Some(pool) = users.0.get(pool) else {
            return Ok(Vec::new());
        };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = pool.users.range::<UserId, _>((from, Bound::Unbounded));
        Ok(page.take(limit).map(|(_, user)| user.clone()).collect())
    }
}
