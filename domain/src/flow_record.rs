//! State between two requests: a pending login, a verification, a reset. Stored under the hash of the token that continues it.

use serde::{Deserialize, Serialize};

use crate::credential::SmsCode;
use crate::id::{SessionId, UserKey};
use crate::limits::ClientAddress;
use crate::secret::TokenHash;
use crate::session::TokenLife;
use crate::time::Timestamp;
use crate::user::{Phone, SessionEpoch};

/// One unfinished flow of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRecord {
    /// Hash of the token that continues it.
    pub id: TokenHash,
    /// Whose it is.
    pub user: UserKey,
    /// When it was begun.
    pub created: Timestamp,
    /// When it is void.
    pub expires: Timestamp,
    /// What it is about.
    pub body: FlowBody,
}

/// What an unfinished flow is about. Stored as JSON: fields are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FlowBody {
    /// The password was right; a code is awaited.
    PendingLogin(PendingLogin),
    /// A code was sent to a number its owner wants to use.
    ConfirmPhone {
        /// The number the code went to.
        phone: Phone,
        /// The code.
        code: SmsCode,
    },
    /// A mail was sent to an address.
    ConfirmEmail {
        /// The address the mail went to: the token confirms this one and no other, not even one that compares equal.
        address: String,
    },
    /// A mail with a reset link was sent.
    ResetPassword {
        /// The user's epoch at that moment: the first password change voids the token.
        epoch: SessionEpoch,
    },
}

/// A login between its password and its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLogin {
    /// Where the password came from.
    pub address: ClientAddress,
    /// The user's epoch at that moment.
    pub epoch: SessionEpoch,
    /// How long the session will live.
    pub life: TokenLife,
    /// The number the code went to, where it went to one.
    pub phone: Option<Phone>,
    /// The newest code; older ones are void.
    pub code: SmsCode,
    /// The id the session will get: known beforehand, so that every line about this login names the same one.
    pub session: SessionId,
}

/// The kinds of flow, by their stored names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowKind {
    /// [`FlowBody::PendingLogin`]
    PendingLogin,
    /// [`FlowBody::ConfirmPhone`]
    ConfirmPhone,
    /// [`FlowBody::ConfirmEmail`]
    ConfirmEmail,
    /// [`FlowBody::ResetPassword`]
    ResetPassword,
}

impl FlowKind {
    /// The stored name, equal to the JSON tag.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PendingLogin => "pending_login",
            Self::ConfirmPhone => "confirm_phone",
            Self::ConfirmEmail => "confirm_email",
            Self::ResetPassword => "reset_password",
        }
    }
}

impl FlowRecord {
    /// What kind of flow it is.
    pub fn kind(&self) -> FlowKind {
        match self.body {
            FlowBody::PendingLogin(_) => FlowKind::PendingLogin,
            FlowBody::ConfirmPhone { .. } => FlowKind::ConfirmPhone,
            FlowBody::ConfirmEmail { .. } => FlowKind::ConfirmEmail,
            FlowBody::ResetPassword { .. } => FlowKind::ResetPassword,
        }
    }

    /// Whether it is void by its age.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }
}
