//! Who has which role: the index that leads from a role to its users.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::access::RoleMapping;
use domain::id::{PoolName, RoleId, RoleMappingId, UserId, UserKey};
use domain::ports::{PortError, RoleMembers};
use domain::time::Timestamp;
use domain::user::User;
use rusqlite::{Connection, Row};

use crate::error::Answer;
use crate::rows::{self, at_most};
use crate::store::SqliteStore;

const HELD: &str = "SELECT role, mapping, created FROM role_members WHERE pool = ?1 AND user_id = ?2";
const GIVE: &str =
    "INSERT INTO role_members (pool, role, user_id, mapping, created) VALUES (?1, ?2, ?3, ?4, ?5)";
const TAKE: &str = "DELETE FROM role_members WHERE pool = ?1 AND role = ?2 AND user_id = ?3";
const FIRST_PAGE: &str = "SELECT user_id, role, mapping, created FROM role_members WHERE pool = ?1 AND role = ?2 \
                          ORDER BY user_id LIMIT ?3";
const NEXT_PAGE: &str = "SELECT user_id, role, mapping, created FROM role_members WHERE pool = ?1 AND role = ?2 AND user_id > ?3 \
                         ORDER BY user_id LIMIT ?4";
const COUNT: &str = "SELECT count(*) FROM role_members WHERE pool = ?1 AND role = ?2";
const HOLDER: &str = "SELECT pool, user_id FROM role_members WHERE mapping = ?1";

/// The roles of a user, each once, and by what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HeldRoles(BTreeMap<String, (String, i64)>);

impl HeldRoles {
    /// Those the user's next state has.
    pub fn of(user: &User) -> Self {
        let roles = user.mappings.iter().map(|mapping| {
            let by = (mapping.id.as_str().to_owned(), mapping.created.as_millis());
            (mapping.role.as_str().to_owned(), by)
        });
        Self(roles.collect())
    }

    /// Writes every role of a new user down.
    ///
    /// # Errors
    /// When the database fails.
    pub fn give(&self, connection: &Connection, user: &UserKey) -> Answer<()> {
        for (role, (mapping, created)) in &self.0 {
            let parameters = (user.pool.as_str(), role, user.id.as_str(), mapping, created);
            connection.prepare_cached(GIVE)?.execute(parameters)?;
        }
        Ok(())
    }

    /// Takes what the user has no more, then gives what is new. Most changes of a user are about something else: they cost one look
    /// at the index and no write.
    ///
    /// # Errors
    /// As [`HeldRoles::give`].
    pub fn replace(mut self, connection: &Connection, user: &UserKey) -> Answer<()> {
        let parameters = (user.pool.as_str(), user.id.as_str());
        let held = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?)));
        for (role, by) in rows::all(connection, HELD, parameters, held)? {
            if self.0.get(&role) == Some(&by) {
                self.0.remove(&role);
            } else {
                let parameters = (user.pool.as_str(), role, user.id.as_str());
                connection.prepare_cached(TAKE)?.execute(parameters)?;
            }
        }
        self.give(connection, user)
    }
}

fn member(row: &Row<'_>) -> Answer<(UserId, RoleMapping)> {
    let mapping = RoleMapping {
        role: RoleId::new(row.get::<_, String>(1)?),
        id: RoleMappingId::new(row.get::<_, String>(2)?),
        created: Timestamp::from_millis(row.get(3)?),
    };
    Ok((UserId::new(row.get::<_, String>(0)?), mapping))
}

#[async_trait]
impl RoleMembers for SqliteStore {
    async fn members(
        &self,
        pool: &PoolName,
        role: &RoleId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<(UserId, RoleMapping)>, PortError> {
        let (pool, role, limit) = (pool.as_str().to_owned(), role.as_str().to_owned(), at_most(limit));
        self.read(move |connection| match after {
            Some(after) => rows::all(connection, NEXT_PAGE, (pool, role, after.as_str(), limit), member),
            None => rows::all(connection, FIRST_PAGE, (pool, role, limit), member),
        })
        .await
    }

    async fn count_members(&self, pool: &PoolName, role: &RoleId) -> Result<u64, PortError> {
        let parameters = [pool.as_str().to_owned(), role.as_str().to_owned()];
        self.read(move |connection| {
            let count: i64 = connection
                .prepare_cached(COUNT)?
                .query_row(parameters, |row| row.get(0))?;
            Ok(count.cast_unsigned())
        })
        .await
    }

    async fn holder_of(&self, mapping: &RoleMappingId) -> Result<Option<UserKey>, PortError> {
        let mapping = mapping.as_str().to_owned();
        let key = |row: &Row<'_>| {
            let pool = PoolName::new(row.get::<_, String>(0)?);
            Ok(UserKey::new(pool, UserId::new(row.get::<_, String>(1)?)))
        };
        self.read(move |connection| rows::first(connection, HOLDER, [mapping], key))
            .await
    }
}
