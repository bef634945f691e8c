//! What is remembered between the two halves of a ceremony. It never leaves the server: whoever could write it would be logged in.

use domain::ports::{PasskeyFault, PortError};
use serde::{Deserialize, Serialize};
use webauthn_rs_core::proto::{AuthenticationState, RegistrationState};

/// A ceremony that was begun.
#[derive(Serialize, Deserialize)]
pub enum Ceremony {
    /// A passkey is being made.
    Registration {
        /// The handle of its user, base64url.
        handle: String,
        /// The library's own.
        state: Box<RegistrationState>,
    },
    /// Somebody logs in.
    Assertion {
        /// The credential ids that may, base64url; any of this site if there is none.
        allowed: Vec<String>,
        /// The library's own, without keys: those are read anew, as they are by then.
        state: Box<AuthenticationState>,
    },
}

impl Ceremony {
    pub fn write(&self) -> Result<String, PortError> {
        serde_json::to_string(self).map_err(|_| PortError::Corrupt {
            what: "the state of a passkey's ceremony".to_owned(),
        })
    }

    /// What was written; anything else is nothing to go on with.
    pub fn read(text: &str) -> Result<Self, PasskeyFault> {
        serde_json::from_str(text).map_err(|_| PasskeyFault::Refused)
    }
}
