//! Who holds which account elsewhere: the index that keeps it unique within a pool is written by the statement that writes the
//! user.

use std::collections::BTreeSet;

use domain::user::User;

use crate::statement::Value;

/// The keys of a user's identities, each once, in one order for all: so two users who exchange accounts do not wait for each other.
pub(crate) fn held_keys(user: &User) -> Value {
    let keys: BTreeSet<String> = user
        .identities
        .iter()
        .map(|identity| identity.key.to_text())
        .collect();
    Value::ManyBytes(keys.into_iter().map(String::into_bytes).collect())
}
