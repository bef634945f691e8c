//! Users.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::endings::{Ending, Endings};
use domain::id::{PoolName, UserId, UserKey};
use domain::ports::{LookupKey, PortError, UserStore};
use domain::stored::StoredUser;
use domain::time::Lifetime;
use domain::user::{Revision, User};
use sqlx::postgres::{PgConnection, PgRow};

use crate::error::Answer;
use crate::identities::held_keys;
use crate::members::held_roles;
use crate::rows::{self, at_most, bytes, maybe_bytes, one_or_stale, pool};
use crate::statement::{Job, Statement, Value};
use crate::store::{PostgresStore, Users};

// A user and the indexes of their accounts elsewhere and roles change in one statement, so in one round trip and in one transaction.
const CREATE: &str = "\
    WITH created AS (\
        INSERT INTO users (pool, id, revision, username_key, email_key, record) VALUES ($1, $2, $3, $4, $5, $6)\
    ), given AS (\
        INSERT INTO role_members (pool, role, user_id, mapping, created) \
        SELECT $1, held.role, $2, held.mapping, held.created \
        FROM unnest($8::bytea[], $9::bytea[], $10::bigint[]) AS held(role, mapping, created)\
    ) \
    INSERT INTO identity_keys (pool, digest, user_id) \
    SELECT $1, sha256(held.key), $2 FROM unnest($7::bytea[]) AS held(key)";
// The parts of a statement all see the state before it. That is the state the revision guards: a user's accounts change with their
// revision only. So what is given up and what is new is judged rightly, or the first part changes nothing and neither do the others.
const COMMIT: &str = "\
    WITH changed AS (\
        UPDATE users SET revision = $3, username_key = $4, email_key = $5, record = $6 \
        WHERE pool = $1 AND id = $2 AND revision = $11 RETURNING id\
    ), given_up AS (\
        DELETE FROM identity_keys AS had USING changed \
        WHERE had.pool = $1 AND had.user_id = $2 \
        AND had.digest <> ALL (SELECT sha256(held.key) FROM unnest($7::bytea[]) AS held(key))\
    ), claimed AS (\
        INSERT INTO identity_keys (pool, digest, user_id) \
        SELECT $1, sha256(held.key), $2 FROM changed, unnest($7::bytea[]) AS held(key) \
        WHERE NOT EXISTS (\
            SELECT FROM identity_keys AS had \
            WHERE had.pool = $1 AND had.user_id = $2 AND had.digest = sha256(held.key)\
        )\
    ), taken AS (\
        DELETE FROM role_members AS had USING changed \
        WHERE had.pool = $1 AND had.user_id = $2 AND had.role <> ALL ($8::bytea[])\
    ), given AS (\
        INSERT INTO role_members (pool, role, user_id, mapping, created) \
        SELECT $1, held.role, $2, held.mapping, held.created \
        FROM changed, unnest($8::bytea[], $9::bytea[], $10::bigint[]) AS held(role, mapping, created) \
        ON CONFLICT (pool, role, user_id) DO UPDATE SET mapping = EXCLUDED.mapping, created = EXCLUDED.created \
        WHERE (role_members.mapping, role_members.created) <> (EXCLUDED.mapping, EXCLUDED.created)\
    ) \
    SELECT id FROM changed";
// The foreign keys take sessions, flows and accounts elsewhere along.
const DELETE: &str = "DELETE FROM users WHERE pool = $1 AND id = $2 AND revision = $3 RETURNING id";

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT users.pool, users.id, users.record FROM users ", $rest)
    };
}
const FIND: &str = select!("WHERE pool = $1 AND id = $2");
const FIND_BY_EMAIL: &str = select!("WHERE pool = $1 AND sha256(email_key) = sha256($2) AND email_key = $2");
const FIND_BY_USERNAME: &str =
    select!("WHERE pool = $1 AND sha256(username_key) = sha256($2) AND username_key = $2");
const FIND_BY_IDENTITY: &str = select!(
    "WHERE (pool, id) = \
     (SELECT held.pool, held.user_id FROM identity_keys AS held WHERE held.pool = $1 AND held.digest = sha256($2))"
);
const FIRST_PAGE: &str = select!("WHERE pool = $1 ORDER BY id LIMIT $2");
const NEXT_PAGE: &str = select!("WHERE pool = $1 AND id > $2 ORDER BY id LIMIT $3");

/// A user's values, in the order of [`CREATE`] and [`COMMIT`].
fn encode(user: &User) -> Result<Vec<Value>, PortError> {
    let mut values = vec![
        pool(&user.key.pool),
        bytes(user.key.id.as_str()),
        rows::revision(user.revision),
        maybe_bytes(user.username_key().as_deref()),
        maybe_bytes(user.email_key().as_deref()),
        rows::record(&StoredUser::from(user))?,
        held_keys(user),
    ];
    values.extend(held_roles(user));
    Ok(values)
}

fn first(rows: &[PgRow]) -> Result<Option<User>, PortError> {
    rows::first::<StoredUser, User>("user", rows)
}

/// A write of a user, which memory must not outlive.
struct Write {
    statement: Statement,
    user: UserKey,
    users: Arc<Users>,
    /// When the user is removed: their sessions end with them.
    endings: Option<Arc<Endings>>,
}

#[async_trait]
impl Job for Write {
    type Done = Vec<PgRow>;

    async fn run(&self, connection: &mut PgConnection) -> Answer<Vec<PgRow>> {
        self.statement.run(connection).await
    }

    fn settle(&self, done: Option<&Vec<PgRow>>) {
        self.users.forget(&self.user);
        if let Some(endings) = self
            .endings
            .as_ref()
            .filter(|_| done.is_some_and(|rows| !rows.is_empty()))
        {
            endings.record(Ending::SessionsOf {
                user: self.user.clone(),
                spare: None,
            });
        }
    }
}

impl PostgresStore {
    async fn write_user(
        &self,
        user: &UserKey,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<PgRow>, PortError> {
        let removes = sql == DELETE;
        self.work(Write {
            statement: Statement::new(sql, values),
            user: user.clone(),
            users: Arc::clone(&self.users),
            endings: removes.then(|| Arc::clone(&self.endings)),
        })
        .await
    }
}

#[async_trait]
impl UserStore for PostgresStore {
    async fn create(&self, user: &User) -> Result<(), PortError> {
        self.write_user(&user.key, CREATE, encode(user)?).await.map(drop)
    }

    async fn find(&self, key: &UserKey) -> Result<Option<User>, PortError> {
        let ticket = self.users.ticket(key);
        let values = vec![pool(&key.pool), bytes(key.id.as_str())];
        let user = first(&self.read(FIND, values).await?)?;
        if let Some(user) = &user {
            self.users.keep(key, ticket, Arc::new(user.clone()));
        }
        Ok(user)
    }

    async fn find_recent(&self, key: &UserKey, at_most: Lifetime) -> Result<Option<User>, PortError> {
        match self.users.get(key, Duration::from_millis(at_most.as_millis())) {
            Some(user) => Ok(Some(User::clone(&user))),
            None => UserStore::find(self, key).await,
        }
    }

    async fn find_by(&self, of: &PoolName, key: &LookupKey) -> Result<Option<User>, PortError> {
        let (sql, key) = match key {
            LookupKey::Email(key) => (FIND_BY_EMAIL, key),
            LookupKey::Username(key) => (FIND_BY_USERNAME, key),
            LookupKey::Identity(key) => (FIND_BY_IDENTITY, key),
        };
        first(&self.read(sql, vec![pool(of), bytes(key)]).await?)
    }

    async fn commit(&self, next: &User, expected: Revision) -> Result<(), PortError> {
        let mut values = encode(next)?;
        values.push(rows::revision(expected));
        one_or_stale(&self.write_user(&next.key, COMMIT, values).await?)
    }

    async fn delete(&self, key: &UserKey, expected: Revision) -> Result<(), PortError> {
        let values = vec![pool(&key.pool), bytes(key.id.as_str()), rows::revision(expected)];
        one_or_stale(&self.write_user(key, DELETE, values).await?)
    }

    async fn list(
        &self,
        of: &PoolName,
        after: Option<&'_ UserId>,
        limit: usize,
    ) -> Result<Vec<User>, PortError> {
        let page = match after {
            Some(after) => {
                let values = vec![pool(of), bytes(after.as_str()), at_most(limit)];
                self.read(NEXT_PAGE, values).await?
            }
            None => self.read(FIRST_PAGE, vec![pool(of), at_most(limit)]).await?,
        };
        rows::all::<StoredUser, User>("user", &page)
    }
}
