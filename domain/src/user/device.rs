//! The devices a user logs in from.

use serde::{Deserialize, Serialize};

use crate::id::DeviceId;
use crate::secret::TokenHash;
use crate::time::Timestamp;

/// Devices that are remembered of one user; the one that was not seen for the longest time gives way.
pub const DEVICES: usize = 20;

/// A device a user logged in from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Names it in lists.
    pub id: DeviceId,
    /// Hash of the token that it shows at a login.
    pub token: TokenHash,
    /// What people call it (`Firefox on Linux`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was first seen.
    pub created: Timestamp,
    /// When a login from it was last written down.
    pub last_used: Timestamp,
    /// Until when it is asked for no second factor; none where it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_until: Option<Timestamp>,
}

impl Device {
    /// Whether it is asked for no second factor.
    pub fn is_trusted(&self, now: Timestamp) -> bool {
        self.trusted_until.is_some_and(|until| now < until)
    }
}
