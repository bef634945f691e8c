use async_trait::async_trait;

use super::PortError;
use crate::access::RoleMapping;
use crate::id::{PoolName, RoleId, RoleMappingId, UserId, UserKey};

/// Finds the users of a role. Who has it stands on the user ([`crate::user::User::mappings`]); this is the way back, kept by the store in the
/// very commit of the user.
#[async_trait]
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait RoleMembers: Send + Sync {
    /// Up to `limit` users of a pool who have the role, and by which mapping, in the order of their ids, beginning after `after`.
    ///
    /// MUST list every one exactly once when read page by page. MUST follow each commit of a user at once, also one that takes the role
    /// away. MUST NOT list users who were deleted.
    async fn members(
        &self,
        pool: &PoolName,
        role: &RoleId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, RoleMapping)>, PortError>;

    /// How many users of a pool have the role.
    async fn count_members(&self, pool: &PoolName, role: &RoleId) -> Result<u64, PortError>;

    /// The user who has a role by that mapping.
    async fn holder_of(&self, mapping: &RoleMappingId) -> Result<Option<UserKey>, PortError>;
}
