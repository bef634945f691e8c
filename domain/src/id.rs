//! Names of things: one newtype per kind, so that a session id can never stand where a user id belongs.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::entropy::Entropy;
use crate::time::Timestamp;

/// Declares a text newtype: opaque to everyone, ordered, printable, stored as its text. Its copies share the text: every token
/// check hands a whole user and session around.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is: stored rows and paths name things this way.
            pub fn new(text: impl Into<String>) -> Self {
                Self(Arc::from(text.into()))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                Self::from(&*name.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// A user within one pool. New users get a UUID version 7 (RFC 9562 section 5.7) as text; imported ones keep theirs.
    UserId
}
text_id! {
    /// A role people may have (`admin`). Names that begin with `$` are LoopBack's own, and nobody is given them.
    RoleName
}
text_id! {
    /// A role of the store. Not a secret.
    RoleId
}
text_id! {
    /// A role that somebody was given. Not a secret.
    RoleMappingId
}
text_id! {
    /// A stored access rule. Not a secret.
    AclId
}
text_id! {
    /// A live login, for lists and audit lines. Not a secret: knowing it opens nothing.
    SessionId
}
text_id! {
    /// A user pool, named by its plural (`Users`). Ids, tokens and roles never cross pools.
    PoolName
}

text_id! {
    /// An account elsewhere that is linked to a user. Not a secret.
    IdentityId
}
text_id! {
    /// A grant of a linked account. Not a secret.
    CredentialId
}
text_id! {
    /// A provider as identities name it (`google`): shared by all entries that lead to it.
    ProviderName
}
text_id! {
    /// A configured entry: its key in `providers.json` (`google-link`).
    EntryName
}
text_id! {
    /// A client application.
    ApplicationId
}
text_id! {
    /// A second factor of a user: an authenticator app or a passkey. Not a secret.
    FactorId
}
text_id! {
    /// A device a user logs in from. Not a secret.
    DeviceId
}
text_id! {
    /// A chain of refresh tokens, from one login to its end. Not a secret.
    RefreshId
}
text_id! {
    /// A message that waits for its carrier. Not a secret.
    MessageId
}
text_id! {
    /// A webhook of the configuration. Not a secret.
    WebhookName
}

text_id! {
    /// An access token that was signed for a service: its `jti`. Not a secret.
    SignedTokenId
}

impl SignedTokenId {
    /// A new id, drawn like [`UserId::draw`].
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

impl FactorId {
    /// A new id, drawn like [`UserId::draw`].
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

impl RoleId {
    /// A new id, drawn like [`UserId::draw`].
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

impl RoleMappingId {
    /// A new id, drawn like [`UserId::draw`].
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

impl AclId {
    /// A new id, drawn like [`UserId::draw`].
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

impl DeviceId {
    /// A new id, drawn like [`UserId::draw`].
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

impl RefreshId {
    /// A new id, drawn like [`UserId::draw`].
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

impl MessageId {
    /// A new id, drawn like [`UserId::draw`].
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

impl IdentityId {
    /// A new id, drawn like [`UserId::draw`].
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

impl CredentialId {
    /// A new id, drawn like [`UserId::draw`].
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

impl ApplicationId {
    /// A new id of 32 hexadecimal digits, as LoopBack's are.
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = [0_u8; 16];
        entropy.fill(&mut bytes);
        Self::new(format!("{:032x}", u128::from_be_bytes(bytes)))
    }
}

impl UserId {
    /// A new id: time-ordered, unique across pools, made from the step's own time and entropy.
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

impl SessionId {
    /// A new id, drawn like [`UserId::draw`].
    pub fn draw(now: Timestamp, entropy: &mut dyn Entropy) -> Self {
        Self::new(uuid_v7(now, entropy))
    }
}

/// A user named across pools: what rows, sessions and flows refer to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserKey {
    /// The pool the user lives in.
    pub pool: PoolName,
    /// The id within that pool.
    pub id: UserId,
}

impl UserKey {
    /// Names one user.
    pub fn new(pool: PoolName, id: UserId) -> Self {
        Self { pool, id }
    }
}

impl fmt::Display for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pool, self.id)
    }
}

fn uuid_v7(now: Timestamp, entropy: &mut dyn Entropy) -> String {
    let mut random = [0_u8; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::CountingEntropy;

    #[test]
    fn a_new_user_id_is_a_uuid_of_version_7() {
        let id = UserId::draw(
            Timestamp::from_millis(1_795_287_972_795),
            &mut CountingEntropy::default(),
        );
        let uuid = uuid::Uuid::parse_str(id.as_str()).unwrap();
        assert_eq!(uuid.get_version_num(), 7);
    }

    #[test]
    fn ids_drawn_later_sort_later() {
        let mut entropy = CountingEntropy::default();
        let first = UserId::draw(Timestamp::from_millis(1_000_000), &mut entropy);
        let second = UserId::draw(Timestamp::from_millis(1_000_001), &mut entropy);
        assert!(first < second);
    }
}
