//! The second factors of a user.

use serde::{Deserialize, Serialize};

use crate::credential::{Passkey, RecoveryCodes, TotpApp};
use crate::id::FactorId;

/// Authenticator apps one user may have.
pub const TOTP_APPS: usize = 5;
/// Passkeys one user may have.
pub const PASSKEYS: usize = 20;
/// Longest name of a factor, in characters.
pub const FACTOR_NAME: usize = 64;

/// A kind of second factor, as methods are named to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactorKind {
    /// A code by text message.
    Sms,
    /// A code of an authenticator app.
    Totp,
    /// A recovery code.
    Recovery,
    /// A passkey.
    Passkey,
}

impl FactorKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Sms, Self::Totp, Self::Recovery, Self::Passkey];

    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Totp => "totp",
            Self::Recovery => "recovery",
            Self::Passkey => "passkey",
        }
    }

    /// The names of several.
    pub fn names(kinds: &[Self]) -> Vec<&'static str> {
        kinds.iter().map(|kind| kind.name()).collect()
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The second factors of a user, but for the phone: see [`crate::user::User::factor_phone`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factors {
    /// Authenticator apps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totp: Vec<TotpApp>,
    /// Recovery codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryCodes>,
    /// Passkeys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passkeys: Vec<Passkey>,
}

impl Factors {
    /// Whether there is none of any kind.
    pub fn is_empty(&self) -> bool {
        self.totp.is_empty() && self.recovery.is_none() && self.passkeys.is_empty()
    }

    /// The authenticator app of that id.
    pub fn totp_of(&self, id: &FactorId) -> Option<&TotpApp> {
        self.totp.iter().find(|app| app.id == *id)
    }

    /// The passkey of that credential id.
    pub fn passkey_of(&self, credential: &str) -> Option<&Passkey> {
        self.passkeys
            .iter()
            .find(|passkey| passkey.credential == credential)
    }

    /// Recovery codes that are left.
    pub fn recovery_codes_left(&self) -> usize {
        self.recovery.as_ref().map_or(0, |codes| codes.left.len())
    }
}
