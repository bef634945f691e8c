use async_trait::async_trait;

use super::PortError;
use crate::id::{PoolName, UserId, UserKey};
use crate::time::Lifetime;
use crate::user::{Revision, User};

/// A key that is unique within a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UniqueKey {
    /// The id.
    Id,
    /// [`User::email_key`].
    Email,
    /// [`User::username_key`].
    Username,
    /// The text of one of [`User::identities`]' keys.
    Identity,
}

/// A unique key to find a user by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupKey {
    /// An [`User::email_key`].
    Email(String),
    /// An [`User::username_key`].
    Username(String),
    /// An [`crate::identity::IdentityKey::to_text`].
    Identity(String),
}

/// Keeps users. What it acknowledges is durable.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait UserStore: Send + Sync {
    /// Adds a user.
    ///
    /// MUST refuse a taken id, `email_key`, `username_key` or identity key of the same pool as [`PortError::Duplicate`], naming the key, also
    /// when creates race. MUST accept equal keys in different pools. MUST accept any number of users without e-mail, username or identity.
    async fn create(&self, user: &User) -> Result<(), PortError>;

    /// The user of that pool and id. MUST return what was stored, field by field.
    async fn find(&self, key: &UserKey) -> Result<Option<User>, PortError>;

    /// The user of that pool and id, as they were at some moment within the last `at_most`: what a store may answer from memory.
    ///
    /// MUST NOT be older than that, nor than what was written through this very adapter. Never decide on it what a commit does not
    /// guard.
    async fn find_recent(&self, key: &UserKey, at_most: Lifetime) -> Result<Option<User>, PortError>;

    /// The user of that pool who holds the key. MUST compare the key byte by byte.
    async fn find_by(&self, pool: &PoolName, key: &LookupKey) -> Result<Option<User>, PortError>;

    /// Replaces a user by its next state.
    ///
    /// MUST do nothing and say [`PortError::Stale`] unless the stored revision is `expected`, also when the user is gone. MUST
    /// let exactly one of several racing commits of one revision through. MUST refuse taken keys as `create` does.
    async fn commit(&self, next: &User, expected: Revision) -> Result<(), PortError>;

    /// Removes a user and every session and flow this store keeps of them.
    ///
    /// MUST say [`PortError::Stale`] unless the stored revision is `expected`.
    async fn delete(&self, key: &UserKey, expected: Revision) -> Result<(), PortError>;

    /// Up to `limit` users of a pool in the order of their ids, beginning after `after`.
    ///
    /// MUST list every user exactly once when read page by page.
    async fn list(
        &self,
        pool: &PoolName,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<User>, PortError>;
}
