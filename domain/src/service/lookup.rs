//! Whom a caller names.

use super::Services;
use crate::credential::Password;
use crate::error::{Denial, DomainError};
use crate::flow_record::FlowRecord;
use crate::id::{UserId, UserKey};
use crate::policy::PoolPolicy;
use crate::ports::{LookupKey, PortError};
use crate::user::{Email, User, Username, scoped_key};

/// A name to log in with, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginName {
    /// An e-mail address.
    Email(String),
    /// A username.
    Username(String),
}

impl LoginName {
    /// What a form with one field for both was given: an address if it has an `@`.
    pub fn typed(text: &str) -> Self {
        if text.contains('@') {
            Self::Email(text.to_owned())
        } else {
            Self::Username(text.to_owned())
        }
    }
}

/// What a caller proves themselves with at first.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The realm, where the pool has realms and the name does not carry it.
    pub realm: Option<String>,
    /// The name.
    pub name: LoginName,
    /// The password.
    pub password: Password,
}

/// Whom a name leads to.
pub(super) struct Named {
    /// The user, if there is one.
    pub user: Option<User>,
    /// What the counters call the account: its id, or what was typed where there is none.
    pub account: String,
}

impl Services {
    /// The user of an id.
    ///
    /// # Errors
    /// Ports that do not answer.
    pub async fn find_user(&self, pool: &PoolPolicy, id: &UserId) -> Result<Option<User>, DomainError> {
        Ok(self
            .ports
            .users
            .find(&UserKey::new(pool.name.clone(), id.clone()))
            .await?)
    }

    /// The user of a name, as at log-in: an address or a username, in a realm where the pool has realms.
    ///
    /// # Errors
    /// [`Denial::RealmRequired`]; ports that do not answer.
    pub async fn find_user_named(
        &self,
        pool: &PoolPolicy,
        realm: Option<&str>,
        name: &LoginName,
    ) -> Result<Option<User>, DomainError> {
        Ok(self.named(pool, realm, name).await?.user)
    }

    /// The user who holds a unique key.
    pub(super) async fn user_by(&self, pool: &PoolPolicy, key: LookupKey) -> Result<Option<User>, PortError> {
        self.ports.users.find_by(&pool.name, &key).await
    }

    /// The user a flow belongs to, as stored now.
    pub(super) async fn user_of(&self, flow: &FlowRecord) -> Result<Option<User>, PortError> {
        match flow.user_key() {
            Some(key) => self.ports.users.find(&key).await,
            None => Ok(None),
        }
    }

    /// Looks a name up. A name that cannot be one is simply nobody's.
    pub(super) async fn named(
        &self,
        pool: &PoolPolicy,
        realm: Option<&str>,
        name: &LoginName,
    ) -> Result<Named, DomainError> {
        let text = match name {
            LoginName::Email(text) | LoginName::Username(text) => text.as_str(),
        };
        let (realm, text) = parted(pool, realm, text)?;
        let (user, key) = match name {
            LoginName::Email(_) => match Email::parse(text, pool.case_sensitive_email) {
                Some(email) => {
                    let key = scoped_key(realm, email.key());
                    (self.user_by(pool, LookupKey::Email(key.clone())).await?, key)
                }
                None => (None, text.to_owned()),
            },
            LoginName::Username(_) => match Username::parse(text) {
                Some(username) => {
                    let key = scoped_key(realm, username.key());
                    (self.user_by(pool, LookupKey::Username(key.clone())).await?, key)
                }
                None => (None, text.to_owned()),
            },
        };
        let account = user.as_ref().map_or(key, |user| user.key.id.to_string());
        Ok(Named { user, account })
    }
}

/// The realm and the bare name: given apart, or as `realm:name` where the pool has a delimiter.
fn parted<'a>(
    pool: &PoolPolicy,
    realm: Option<&'a str>,
    text: &'a str,
) -> Result<(Option<&'a str>, &'a str), DomainError> {
    if !pool.realm_required {
        return Ok((None, text));
    }
    let inside = pool
        .realm_delimiter
        .as_deref()
        .and_then(|delimiter| text.split_once(delimiter));
    match (realm.filter(|realm| !realm.is_empty()), inside) {
        (Some(realm), _) => Ok((Some(realm), text)),
        (None, Some((realm, name))) if !realm.is_empty() => Ok((Some(realm), name)),
        (None, _) => Err(Denial::RealmRequired.into()),
    }
}
