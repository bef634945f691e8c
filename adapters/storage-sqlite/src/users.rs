//! Users.

use async_trait::async_trait;
use domain::id::{PoolName, UserId, UserKey};
use domain::ports::{LookupKey, PortError, UserStore};
use domain::secret::TokenHash;
use domain::time::Lifetime;
use domain::user::{Revision, User};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::cache::Touched;
use crate::error::Answer;
use crate::identities::HeldKeys;
use crate::members::HeldRoles;
use crate::rows::{self, at_most, decode_user, encode_user, one_or_stale, user_columns};
use crate::store::SqliteStore;

const INSERT: &str = concat!(
    "INSERT INTO users (",
    user_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)"
);
const UPDATE: &str = concat!(
    "UPDATE users SET (",
    user_columns!(),
    ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23) ",
    "WHERE pool = ?1 AND id = ?2 AND revision = ?24"
);
const DELETE: &str = "DELETE FROM users WHERE pool = ?1 AND id = ?2 AND revision = ?3";
const TOKENS: &str = "SELECT token FROM sessions WHERE pool = ?1 AND user_id = ?2";
const FIND: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM users WHERE pool = ?1 AND id = ?2"
);
const FIND_BY_EMAIL: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM users WHERE pool = ?1 AND email_key = ?2"
);
const FIND_BY_USERNAME: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM users WHERE pool = ?1 AND username_key = ?2"
);
const FIND_BY_IDENTITY: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM users WHERE (pool, id) = (SELECT pool, user_id FROM identity_keys WHERE pool = ?1 AND key = ?2)"
);
const FIRST_PAGE: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM users WHERE pool = ?1 ORDER BY id LIMIT ?2"
);
const NEXT_PAGE: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM users WHERE pool = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
);

fn find(connection: &Connection, key: &UserKey) -> Answer<Option<User>> {
    let parameters = [key.pool.as_str(), key.id.as_str()];
    rows::first(connection, FIND, parameters, decode_user)
}

/// What a user's next state holds besides their own row.
struct Held {
    keys: HeldKeys,
    roles: HeldRoles,
}

impl Held {
    fn of(user: &User) -> Self {
        Self {
            keys: HeldKeys::of(user),
            roles: HeldRoles::of(user),
        }
    }
}

fn insert(connection: &Connection, key: &UserKey, values: Vec<Value>, held: &Held) -> Answer<()> {
    connection
        .prepare_cached(INSERT)?
        .execute(params_from_iter(values))?;
    held.keys.claim(connection, key)?;
    held.roles.give(connection, key)
}

fn update(connection: &Connection, key: &UserKey, values: Vec<Value>, held: Held) -> Answer<()> {
    let changed = connection
        .prepare_cached(UPDATE)?
        .execute(params_from_iter(values))?;
    one_or_stale(changed)?;
    held.keys.replace(connection, key)?;
    held.roles.replace(connection, key)
}

/// Removes a user. The foreign keys take sessions and flows along, but tell nobody which: the cache must hear of the sessions.
fn delete(connection: &Connection, touched: &mut Touched, key: &UserKey, revision: i64) -> Answer<()> {
    let (pool, id) = (key.pool.as_str(), key.id.as_str());
    let token = |row: &Row<'_>| Ok(TokenHash::from_bytes(row.get(0)?));
    touched
        .sessions
        .extend(rows::all(connection, TOKENS, (pool, id), token)?);
    let removed = connection.prepare_cached(DELETE)?.execute((pool, id, revision))?;
    one_or_stale(removed)
}

#[async_trait]
impl UserStore for SqliteStore {
    async fn create(&self, user: &User) -> Result<(), PortError> {
        let (key, values) = (user.key.clone(), encode_user(user)?);
        let held = Held::of(user);
        self.write(move |connection, touched| {
            touched.users.push(key.clone());
            insert(connection, &key, values, &held)
        })
        .await
    }

    async fn find(&self, key: &UserKey) -> Result<Option<User>, PortError> {
        self.read_through(&self.caches.users, key, find).await
    }

    async fn find_recent(&self, key: &UserKey, _at_most: Lifetime) -> Result<Option<User>, PortError> {
        // What is read at once is recent enough for everybody.
        UserStore::find(self, key).await
    }

    async fn find_by(&self, pool: &PoolName, key: &LookupKey) -> Result<Option<User>, PortError> {
        let (sql, key) = match key {
            LookupKey::Email(key) => (FIND_BY_EMAIL, key),
            LookupKey::Username(key) => (FIND_BY_USERNAME, key),
            LookupKey::Identity(key) => (FIND_BY_IDENTITY, key),
        };
        let parameters = [pool.as_str().to_owned(), key.clone()];
        self.read(move |connection| rows::first(connection, sql, parameters, decode_user))
            .await
    }

    async fn commit(&self, next: &User, expected: Revision) -> Result<(), PortError> {
        let (key, mut values) = (next.key.clone(), encode_user(next)?);
        let held = Held::of(next);
        values.push(Value::Integer(rows::revision(expected)));
        self.write(move |connection, touched| {
            touched.users.push(key.clone());
            update(connection, &key, values, held)
        })
        .await
    }

    async fn delete(&self, key: &UserKey, expected: Revision) -> Result<(), PortError> {
        let (key, revision) = (key.clone(), rows::revision(expected));
        self.write(move |connection, touched| {
            delete(connection, touched, &key, revision)?;
            touched.users.push(key);
            Ok(())
        })
        .await
    }

    async fn list(
        &self,
        pool: &PoolName,
        after: Option<&'_ UserId>,
        limit: usize,
    ) -> Result<Vec<User>, PortError> {
        let pool = pool.as_str().to_owned();
        let after = after.map(|id| id.as_str().to_owned());
        let limit = at_most(limit);
        self.read(move |connection| match after {
            Some(after) => rows::all(connection, NEXT_PAGE, (pool, after, limit), decode_user),
            None => rows::all(connection, FIRST_PAGE, (pool, limit), decode_user),
        })
        .await
    }
}
