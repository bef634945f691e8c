use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::access::RoleMapping;
use crate::credential::PasswordHash;
use crate::id::{PoolName, SessionId, UserId, UserKey};
use crate::identity::{Identity, UserCredential};
use crate::time::Timestamp;
use crate::user::{Attributes, Device, Email, Factors, Phone, Revision, SessionEpoch, User, Username};

/// A name and the form it is compared in. Both are kept: how names are compared may change, what was compared once may not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredName {
    /// As its owner writes it.
    pub text: String,
    /// As it is compared within the realm.
    pub key: String,
}

/// A [`User`] as it is stored.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredUser {
    /// [`UserKey::pool`]
    pub pool: PoolName,
    /// [`UserKey::id`]
    pub id: UserId,
    /// [`User::revision`]
    pub revision: Revision,
    /// [`User::realm`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// [`User::username`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<StoredName>,
    /// [`User::email`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<StoredName>,
    /// [`User::email_verified`]
    #[serde(default)]
    pub email_verified: bool,
    /// [`User::phone`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// [`User::factor_phone`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor_phone: Option<String>,
    /// [`User::password`], a hash in PHC or modular crypt format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// [`User::identities`]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<Identity>,
    /// [`User::credentials`], sealed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<UserCredential>,
    /// [`User::factors`], secrets sealed or hashed.
    #[serde(default, skip_serializing_if = "Factors::is_empty")]
    pub factors: Factors,
    /// [`User::devices`], tokens hashed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// [`User::mappings`]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<RoleMapping>,
    /// [`User::disabled`], milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Timestamp>,
    /// [`User::attributes`]
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
    /// [`User::session_epoch`]
    #[serde(default)]
    pub session_epoch: SessionEpoch,
    /// [`User::spared_session`]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spared_session: Option<SessionId>,
    /// [`User::created`], milliseconds since 1970.
    pub created: Timestamp,
    /// [`User::modified`], milliseconds since 1970.
    pub modified: Timestamp,
}

impl From<&User> for StoredUser {
    fn from(user: &User) -> Self {
        let name = |text: &str, key: &str| StoredName {
            text: text.to_owned(),
            key: key.to_owned(),
        };
        Self {
            pool: user.key.pool.clone(),
            id: user.key.id.clone(),
            revision: user.revision,
            realm: user.realm.clone(),
            username: user.username.as_ref().map(|it| name(it.as_str(), it.key())),
            email: user.email.as_ref().map(|it| name(it.as_str(), it.key())),
            email_verified: user.email_verified,
            phone: user.phone.as_ref().map(|it| it.as_str().to_owned()),
            factor_phone: user.factor_phone.as_ref().map(|it| it.as_str().to_owned()),
            password: user.password.as_ref().map(|it| it.as_str().to_owned()),
            identities: user.identities.to_vec(),
            credentials: user.credentials.to_vec(),
            factors: Factors::clone(&user.factors),
            devices: user.devices.to_vec(),
            mappings: user.mappings.to_vec(),
            disabled: user.disabled,
            attributes: user.attributes.as_map().clone(),
            session_epoch: user.session_epoch,
            spared_session: user.spared_session.clone(),
            created: user.created,
            modified: user.modified,
        }
    }
}

impl From<StoredUser> for User {
    fn from(stored: StoredUser) -> Self {
        Self {
            key: UserKey::new(stored.pool, stored.id),
            revision: stored.revision,
            realm: stored.realm,
            username: stored.username.map(|it| Username::restore(it.text, it.key)),
            email: stored.email.map(|it| Email::restore(it.text, it.key)),
            email_verified: stored.email_verified,
            phone: stored.phone.map(Phone::restore),
            factor_phone: stored.factor_phone.map(Phone::restore),
            password: stored.password.map(PasswordHash::new),
            identities: Arc::new(stored.identities),
            credentials: Arc::new(stored.credentials),
            factors: Arc::new(stored.factors),
            devices: Arc::new(stored.devices),
            mappings: Arc::new(stored.mappings),
            disabled: stored.disabled,
            attributes: Attributes::restore(stored.attributes),
            session_epoch: stored.session_epoch,
            spared_session: stored.spared_session,
            created: stored.created,
            modified: stored.modified,
        }
    }
}

impl fmt::Debug for StoredUser {
    /// By its name: it holds a password hash and personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredUser({}/{})", self.pool, self.id)
    }
}
