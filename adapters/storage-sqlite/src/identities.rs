//! Who holds which account elsewhere: the index that keeps it unique within a pool.

use std::collections::BTreeSet;

use domain::id::UserKey;
use domain::user::User;
use rusqlite::{Connection, Row};

use crate::error::Answer;
use crate::rows;

const HELD: &str = "SELECT key FROM identity_keys WHERE pool = ?1 AND user_id = ?2";
const CLAIM: &str = "INSERT INTO identity_keys (pool, key, user_id) VALUES (?1, ?2, ?3)";
const GIVE_UP: &str = "DELETE FROM identity_keys WHERE pool = ?1 AND key = ?2";

/// The keys of a user's identities, each once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HeldKeys(BTreeSet<String>);

impl HeldKeys {
    /// Those the user's next state holds.
    pub fn of(user: &User) -> Self {
        let keys = user.identities.iter().map(|identity| identity.key.to_text());
        Self(keys.collect())
    }

    /// Claims every key for a new user.
    ///
    /// # Errors
    /// The violation of the index when somebody else holds one.
    pub fn claim(&self, connection: &Connection, user: &UserKey) -> Answer<()> {
        let new: Vec<&str> = self.0.iter().map(String::as_str).collect();
        claim(connection, user, &new)
    }

    /// Gives up what the user holds no more, then claims what is new. Most changes of a user are about something else: they cost
    /// one look at the index and no write.
    ///
    /// # Errors
    /// As [`HeldKeys::claim`].
    pub fn replace(&self, connection: &Connection, user: &UserKey) -> Answer<()> {
        let parameters = (user.pool.as_str(), user.id.as_str());
        let key = |row: &Row<'_>| Ok(row.get::<_, String>(0)?);
        let before: BTreeSet<String> = rows::all(connection, HELD, parameters, key)?
            .into_iter()
            .collect();
        for gone in before.difference(&self.0) {
            connection
                .prepare_cached(GIVE_UP)?
                .execute((user.pool.as_str(), gone))?;
        }
        let new: Vec<&str> = self.0.difference(&before).map(String::as_str).collect();
        claim(connection, user, &new)
    }
}

fn claim(connection: &Connection, user: &UserKey, keys: &[&str]) -> Answer<()> {
    for key in keys {
        let parameters = (user.pool.as_str(), key, user.id.as_str());
        connection.prepare_cached(CLAIM)?.execute(parameters)?;
    }
    Ok(())
}
