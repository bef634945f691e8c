use serde_json::Value;

use super::PortError;
use crate::credential::Passkey;
use crate::id::UserKey;

/// Why an authenticator's answer was refused. The caller hears the same for all of them; the operator hears the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyFault {
    /// It cannot be read.
    #[error("malformed")]
    Malformed,
    /// It answers another challenge.
    #[error("challenge")]
    Challenge,
    /// It was made for another site.
    #[error("origin")]
    Origin,
    /// Its signature does not fit the key.
    #[error("signature")]
    Signature,
    /// It did not verify its user where that was required.
    #[error("user_verification")]
    UserVerification,
    /// It names a key that is not among those of the user.
    #[error("unknown_key")]
    UnknownKey,
    /// Anything else that the standard refuses.
    #[error("refused")]
    Refused,
}

/// A ceremony that was begun.
#[derive(Clone, Debug, PartialEq)]
pub struct PasskeyCeremony {
    /// What the browser's API is called with: the value of its `publicKey` member.
    pub options: Value,
    /// What the verifier wants to see again: kept on the server's side alone, used once.
    pub state: String,
}

/// Whom a passkey is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyHolder {
    /// The user: [`crate::credential::user_handle`].
    pub user: UserKey,
    /// The name the authenticator shows (an address).
    pub name: String,
    /// A longer one.
    pub display_name: String,
}

/// A passkey as its authenticator made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredPasskey {
    /// The credential id, base64url without padding.
    pub credential: String,
    /// See [`Passkey::material`].
    pub material: String,
    /// See [`Passkey::sign_count`].
    pub sign_count: u32,
    /// See [`Passkey::user_verifying`].
    pub user_verifying: bool,
    /// See [`Passkey::backup_eligible`].
    pub backup_eligible: bool,
    /// See [`Passkey::backed_up`].
    pub backed_up: bool,
}

/// A passkey that proved itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyAssertion {
    /// Which one, by its credential id.
    pub credential: String,
    /// The counter it gave.
    pub sign_count: u32,
    /// Whether it verified its user now.
    pub user_verified: bool,
    /// Whether its key is backed up now.
    pub backed_up: bool,
    /// Its material from now on, where that changed.
    pub material: Option<String>,
}

/// Speaks WebAuthn. Pure but for the chance in its challenges: no state, no network.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait PasskeyVerifier: Send + Sync {
    /// Begins a registration. MUST ask for a discoverable key and for user verification where the authenticator can, and MUST name the
    /// passkeys the user has, so that none is made twice on one authenticator.
    fn begin_registration(
        &self,
        holder: &PasskeyHolder,
        existing: &[Passkey],
    ) -> Result<PasskeyCeremony, PortError>;

    /// Judges what the authenticator made. MUST refuse an answer to another challenge, of another site, or to a login.
    fn finish_registration(&self, state: &str, answer: &Value) -> Result<RegisteredPasskey, PasskeyFault>;

    /// Begins a login with one of `allowed`; with any passkey of this site if none is given. With `verify` the authenticator must
    /// verify its user.
    fn begin_assertion(&self, allowed: &[Passkey], verify: bool) -> Result<PasskeyCeremony, PortError>;

    /// Whom an answer names by its user handle ([`crate::credential::user_of_handle`]); nothing is proven by it.
    fn named_by(&self, answer: &Value) -> Result<UserKey, PasskeyFault>;

    /// Judges an answer by the passkeys of its user.
    ///
    /// MUST refuse an answer to another challenge, of another site, by a key that is not in `passkeys`, with a wrong signature, or
    /// without user verification where it was required.
    fn finish_assertion(
        &self,
        state: &str,
        answer: &Value,
        passkeys: &[Passkey],
    ) -> Result<PasskeyAssertion, PasskeyFault>;
}
