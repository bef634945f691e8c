//! The user: contacts, password, attributes, and the revision that guards every change.

mod attributes;
mod device;
mod email;
mod factors;
mod phone;
mod text;
mod username;

pub use attributes::{Attributes, AttributesFault};
pub use device::{DEVICES, Device};
pub use email::Email;
pub use factors::{FACTOR_NAME, FactorKind, Factors, PASSKEYS, TOTP_APPS};
pub use phone::Phone;
pub(crate) use text::fold as folded_name;
pub use username::Username;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::access::RoleMapping;
use crate::credential::PasswordHash;
use crate::id::{IdentityId, RoleName, SessionId, UserId, UserKey};
use crate::identity::{Identity, IdentityKey, UserCredential};
use crate::secret::TokenHash;
use crate::time::Timestamp;

/// Counts the changes of one user. A commit names the revision it was decided on and fails as *stale* on any other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// A revision from a store.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number to store.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Counts the times a user's sessions were all ended. A session or pending login lives only while its epoch is the user's:
/// one number in the user's own commit ends them all, atomically and without a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionEpoch(u32);

impl SessionEpoch {
    /// An epoch from a store.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number to store.
    pub const fn number(self) -> u32 {
        self.0
    }

    const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// A person's record in one pool.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Pool and id.
    pub key: UserKey,
    /// Which change of this record it is.
    pub revision: Revision,
    /// LoopBack's realm; only where the pool has realms.
    pub realm: Option<String>,
    /// A name to log in with.
    pub username: Option<Username>,
    /// An address to log in with and to write to.
    pub email: Option<Email>,
    /// Whether the owner proved that they read this address.
    pub email_verified: bool,
    /// The number the owner gave.
    pub phone: Option<Phone>,
    /// The number a code was confirmed from: the second factor. A changed `phone` replaces it only once a code to the new number
    /// came back, so a mistyped number neither opens the account nor shuts its owner out.
    pub factor_phone: Option<Phone>,
    /// The password, hashed; none for users who came by another way.
    pub password: Option<PasswordHash>,
    /// The accounts elsewhere that log in as this user. Shared: every token check hands the user around.
    pub identities: Arc<Vec<Identity>>,
    /// What we may do at those places.
    pub credentials: Arc<Vec<UserCredential>>,
    /// Authenticator apps, recovery codes, passkeys. Shared like the identities.
    pub factors: Arc<Factors>,
    /// The devices they log in from.
    pub devices: Arc<Vec<Device>>,
    /// The roles they were given by hand. Those that accounts elsewhere give stand on [`User::identities`].
    pub mappings: Arc<Vec<RoleMapping>>,
    /// Since when an administrator keeps them out: no login opens, no session lives. None for everybody else.
    pub disabled: Option<Timestamp>,
    /// Everything else a client keeps here.
    pub attributes: Attributes,
    /// The epoch in which live sessions were opened.
    pub session_epoch: SessionEpoch,
    /// The one session of an earlier epoch that lives on: the one that made the change.
    pub spared_session: Option<SessionId>,
    /// When the record was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub modified: Timestamp,
}

impl User {
    /// A user with nothing but a name, at revision zero.
    pub fn blank(key: UserKey, now: Timestamp) -> Self {
        Self {
            key,
            revision: Revision::default(),
            realm: None,
            username: None,
            email: None,
            email_verified: false,
            phone: None,
            factor_phone: None,
            password: None,
            identities: Arc::default(),
            credentials: Arc::default(),
            factors: Arc::default(),
            devices: Arc::default(),
            mappings: Arc::default(),
            disabled: None,
            attributes: Attributes::default(),
            session_epoch: SessionEpoch::default(),
            spared_session: None,
            created: now,
            modified: now,
        }
    }

    /// The roles their linked accounts give them, each once, in order.
    pub fn roles(&self) -> Vec<RoleName> {
        let all = self.identities.iter().flat_map(|identity| &identity.roles);
        let mut roles: Vec<RoleName> = all.cloned().collect();
        roles.sort();
        roles.dedup();
        roles
    }

    /// The id within the pool.
    pub fn id(&self) -> &UserId {
        &self.key.id
    }

    /// A copy to change: one revision further.
    #[must_use]
    pub fn changed(&self, now: Timestamp) -> Self {
        Self {
            revision: self.revision.next(),
            modified: now,
            ..self.clone()
        }
    }

    /// Ends every session and pending login of this user except `spare`.
    pub fn end_sessions(&mut self, spare: Option<SessionId>) {
        self.session_epoch = self.session_epoch.next();
        self.spared_session = spare;
        self.distrust_devices();
    }

    /// From now on every device is asked for a second factor again.
    pub fn distrust_devices(&mut self) {
        if self.devices.iter().any(|device| device.trusted_until.is_some()) {
            let devices = Arc::make_mut(&mut self.devices).iter_mut();
            devices.for_each(|device| device.trusted_until = None);
        }
    }

    /// Whether a session or pending login opened in `epoch` under `session` is still good.
    pub fn honours(&self, epoch: SessionEpoch, session: &SessionId) -> bool {
        self.disabled.is_none()
            && (epoch == self.session_epoch || self.spared_session.as_ref() == Some(session))
    }

    /// Whether the number the owner gave is the confirmed one.
    pub fn phone_is_confirmed(&self) -> bool {
        self.phone.is_some() && self.phone == self.factor_phone
    }

    /// Where a login code goes: to the confirmed number, else to the one the owner gave.
    pub fn code_phone(&self) -> Option<&Phone> {
        self.factor_phone.as_ref().or(self.phone.as_ref())
    }

    /// Whether they have a second factor; recovery codes alone are none.
    pub fn has_second_factor(&self) -> bool {
        self.factor_phone.is_some() || !self.factors.totp.is_empty() || !self.factors.passkeys.is_empty()
    }

    /// The second factors they can prove themselves with, the strongest first.
    pub fn second_factors(&self) -> Vec<FactorKind> {
        let has = |kind| match kind {
            FactorKind::Passkey => !self.factors.passkeys.is_empty(),
            FactorKind::Totp => !self.factors.totp.is_empty(),
            FactorKind::Sms => self.factor_phone.is_some(),
            FactorKind::Recovery => self.factors.recovery_codes_left() > 0,
        };
        let strongest_first = [
            FactorKind::Passkey,
            FactorKind::Totp,
            FactorKind::Sms,
            FactorKind::Recovery,
        ];
        strongest_first.into_iter().filter(|kind| has(*kind)).collect()
    }

    /// The remembered device of that token.
    pub fn device(&self, token: &TokenHash) -> Option<&Device> {
        self.devices.iter().find(|device| device.token == *token)
    }

    /// The linked account of that key.
    pub fn identity_of(&self, key: &IdentityKey) -> Option<&Identity> {
        self.identities.iter().find(|identity| identity.key == *key)
    }

    /// The linked account of that id.
    pub fn identity(&self, id: &IdentityId) -> Option<&Identity> {
        self.identities.iter().find(|identity| identity.id == *id)
    }

    /// The form the e-mail address is unique in: within the realm where users have one.
    pub fn email_key(&self) -> Option<String> {
        self.email
            .as_ref()
            .map(|email| scoped_key(self.realm.as_deref(), email.key()))
    }

    /// The form the username is unique in.
    pub fn username_key(&self) -> Option<String> {
        self.username
            .as_ref()
            .map(|username| scoped_key(self.realm.as_deref(), username.key()))
    }
}

/// A unique key within a realm. The separator is a control character, which no address, name or realm can hold.
pub fn scoped_key(realm: Option<&str>, key: &str) -> String {
    realm.map_or_else(|| key.to_owned(), |realm| format!("{realm}\u{1f}{key}"))
}

/// Whether a text may be a realm: short, visible, no control characters.
pub fn is_realm(text: &str) -> bool {
    (1..=128).contains(&text.chars().count()) && !text::has_deceptive_character(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PoolName;

    fn user() -> User {
        User::blank(
            UserKey::new(PoolName::new("Users"), UserId::new("1")),
            Timestamp::from_millis(0),
        )
    }

    #[test]
    fn ending_sessions_spares_only_the_one_named() {
        let mut user = user();
        let (mine, other) = (SessionId::new("mine"), SessionId::new("other"));
        let before = user.session_epoch;
        assert!(user.honours(before, &other));
        user.end_sessions(Some(mine.clone()));
        assert!(user.honours(before, &mine));
        assert!(!user.honours(before, &other));
        assert!(user.honours(user.session_epoch, &other));
    }

    #[test]
    fn a_changed_number_takes_no_codes_until_it_is_confirmed() {
        let mut user = user();
        user.phone = Phone::parse("+491701234567");
        user.factor_phone = user.phone.clone();
        assert!(user.phone_is_confirmed());
        user.phone = Phone::parse("+491709999999");
        assert!(!user.phone_is_confirmed());
        assert_eq!(user.code_phone(), user.factor_phone.as_ref());
    }

    #[test]
    fn a_change_is_one_revision_further() {
        let before = user();
        let after = before.changed(Timestamp::from_millis(9));
        assert_eq!(after.revision.number(), before.revision.number() + 1);
    }
}
