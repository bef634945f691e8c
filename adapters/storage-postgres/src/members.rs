//! Who has which role: the index that leads from a role to its users is written by the statement that writes the user.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::access::RoleMapping;
use domain::id::{PoolName, RoleId, RoleMappingId, UserId, UserKey};
use domain::ports::{PortError, RoleMembers};
use domain::time::Timestamp;
use domain::user::User;
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::rows::{at_most, bytes, pool};
use crate::statement::Value;
use crate::store::PostgresStore;

const FIRST_PAGE: &str = "SELECT user_id, role, mapping, created FROM role_members WHERE pool = $1 AND role = $2 \
                          ORDER BY user_id LIMIT $3";
const NEXT_PAGE: &str = "SELECT user_id, role, mapping, created FROM role_members WHERE pool = $1 AND role = $2 AND user_id > $3 \
                         ORDER BY user_id LIMIT $4";
const COUNT: &str = "SELECT count(*) AS members FROM role_members WHERE pool = $1 AND role = $2";
const HOLDER: &str = "SELECT pool, user_id FROM role_members WHERE mapping = $1";

/// The roles of a user, each once, in one order for all, and by what: three lists of one length.
pub(crate) fn held_roles(user: &User) -> [Value; 3] {
    let held: BTreeMap<&str, &RoleMapping> = user
        .mappings
        .iter()
        .map(|mapping| (mapping.role.as_str(), mapping))
        .collect();
    let mappings = held.values();
    [
        Value::ManyBytes(held.keys().map(|role| role.as_bytes().to_vec()).collect()),
        Value::ManyBytes(
            mappings
                .clone()
                .map(|mapping| mapping.id.as_str().as_bytes().to_vec())
                .collect(),
        ),
        Value::Ints(mappings.map(|mapping| mapping.created.as_millis()).collect()),
    ]
}

fn text(row: &PgRow, column: &str) -> Option<String> {
    let bytes = row.try_get::<Vec<u8>, _>(column).ok()?;
    String::from_utf8(bytes).ok()
}

fn member(row: &PgRow) -> Option<(UserId, RoleMapping)> {
    let mapping = RoleMapping {
        role: RoleId::new(text(row, "role")?),
        id: RoleMappingId::new(text(row, "mapping")?),
        created: Timestamp::from_millis(row.try_get("created").ok()?),
    };
    Some((UserId::new(text(row, "user_id")?), mapping))
}

fn holder(row: &PgRow) -> Option<UserKey> {
    let pool: String = row.try_get("pool").ok()?;
    Some(UserKey::new(
        PoolName::new(pool),
        UserId::new(text(row, "user_id")?),
    ))
}

fn unreadable() -> PortError {
    PortError::corrupt("a row of role_members")
}

#[async_trait]
impl RoleMembers for PostgresStore {
    async fn members(
        &self,
        of: &PoolName,
        role: &RoleId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, RoleMapping)>, PortError> {
        let mut values = vec![pool(of), bytes(role.as_str())];
        let sql = match after {
            Some(after) => {
                values.push(bytes(after.as_str()));
                NEXT_PAGE
            }
            None => FIRST_PAGE,
        };
        values.push(at_most(limit));
        let page = self.read(sql, values).await?;
        page.iter()
            .map(|row| member(row).ok_or_else(unreadable))
            .collect()
    }

    async fn count_members(&self, of: &PoolName, role: &RoleId) -> Result<u64, PortError> {
        let rows = self.read(COUNT, vec![pool(of), bytes(role.as_str())]).await?;
        let count = rows.first().and_then(|row| row.try_get::<i64, _>("members").ok());
        count.map(i64::cast_unsigned).ok_or_else(unreadable)
    }

    async fn holder_of(&self, mapping: &RoleMappingId) -> Result<Option<UserKey>, PortError> {
        let rows = self.read(HOLDER, vec![bytes(mapping.as_str())]).await?;
        rows.first()
            .map(|row| holder(row).ok_or_else(unreadable))
            .transpose()
    }
}
