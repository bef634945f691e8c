//! Passkeys (W3C Web Authentication Level 3): key pairs whose private half never leaves its owner's device.

use serde::{Deserialize, Serialize};

use crate::id::{FactorId, UserKey};
use crate::time::Timestamp;

/// Longest user handle an authenticator takes, in bytes (WebAuthn section 5.4.3).
const HANDLE_LENGTH: usize = 64;

/// Parts pool and id within a handle: a character that neither holds.
const HANDLE_SEPARATOR: char = '\u{1f}';

/// A passkey of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Names it in lists.
    pub id: FactorId,
    /// What its owner calls it.
    pub name: String,
    /// The credential id, base64url without padding.
    pub credential: String,
    /// The public key and what else the verifier wants to see again; nothing secret. Its form is the verifier's own affair.
    pub material: String,
    /// The authenticator's signature counter; zero for one that does not count.
    pub sign_count: u32,
    /// Whether it verified its user at registration: then it may be a whole login. Taken away from it for good when an address is
    /// proven for the first time after the passkey was added.
    pub user_verifying: bool,
    /// Whether its private key may be on several devices (flag BE).
    pub backup_eligible: bool,
    /// Whether it is, as the authenticator said last (flag BS).
    pub backed_up: bool,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last used to log in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Timestamp>,
}

/// The user handle: what an authenticator gives back when a login names nobody. It names the user by pool and id alone; none for ids
/// too long to fit.
pub fn user_handle(user: &UserKey) -> Option<Vec<u8>> {
    let handle = format!("{}{HANDLE_SEPARATOR}{}", user.pool, user.id).into_bytes();
    (handle.len() <= HANDLE_LENGTH).then_some(handle)
}

/// Whom a handle names.
pub fn user_of_handle(handle: &[u8]) -> Option<UserKey> {
    let (pool, id) = std::str::from_utf8(handle).ok()?.split_once(HANDLE_SEPARATOR)?;
    Some(UserKey::new(
        crate::id::PoolName::new(pool),
        crate::id::UserId::new(id),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{PoolName, UserId};

    #[test]
    fn a_handle_names_its_user_and_fits() {
        let user = UserKey::new(
            PoolName::new("Users"),
            UserId::new("019a0000-0000-7000-8000-000000000000"),
        );
        assert_eq!(user_of_handle(&user_handle(&user).unwrap()), Some(user));
        let long = UserKey::new(PoolName::new("Users"), UserId::new("x".repeat(60)));
        assert_eq!(user_handle(&long), None);
        assert_eq!(user_of_handle(b"\xff\x1f1"), None);
        assert_eq!(user_of_handle(b"nobody"), None);
    }
}
