//! What is kept of a passkey beside its counter and flags: its public key, whose it is, and how its device is reached.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::credential::Passkey;
use domain::ports::{PasskeyFault, PortError};
use serde::{Deserialize, Serialize};
use webauthn_rs_core::proto::{
    AttestationFormat, AuthenticatorTransport, COSEAlgorithm, COSEKey, COSEKeyType, Credential, ECDSACurve,
    ParsedAttestation, RegisteredExtensions, UserVerificationPolicy,
};

/// The algorithms asked for, the best first. Ed25519 is not among them: the library does not verify it, and no device is known that
/// has it and lacks ES256.
pub const ALGORITHMS: [COSEAlgorithm; 2] = [COSEAlgorithm::ES256, COSEAlgorithm::RS256];

/// The stored form. Fields may be added, none may change its meaning: what was written once is read for years.
#[derive(Serialize, Deserialize)]
pub struct Material {
    key: COSEKey,
    /// The handle of its user, base64url.
    pub handle: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    transports: Vec<AuthenticatorTransport>,
}

/// Whether the key is of the kind that its algorithm stands for in WebAuthn (section 5.8.5): ES256 is P-256 there.
fn fits(key: &COSEKey) -> bool {
    match (key.type_, &key.key) {
        (COSEAlgorithm::ES256, COSEKeyType::EC_EC2(key)) => key.curve == ECDSACurve::SECP256R1,
        (COSEAlgorithm::RS256, COSEKeyType::RSA(_)) => true,
        _ => false,
    }
}

impl Material {
    /// Of a key that was just made.
    pub fn new(
        key: COSEKey,
        handle: String,
        transports: Option<Vec<AuthenticatorTransport>>,
    ) -> Result<Self, PasskeyFault> {
        if !fits(&key) {
            return Err(PasskeyFault::Refused);
        }
        let mut transports = transports.unwrap_or_default();
        transports.retain(|transport| *transport != AuthenticatorTransport::Unknown);
        Ok(Self {
            key,
            handle,
            transports,
        })
    }

    pub fn write(&self) -> Result<String, PasskeyFault> {
        serde_json::to_string(self).map_err(|_| PasskeyFault::Refused)
    }

    pub fn read(passkey: &Passkey) -> Result<Self, PortError> {
        serde_json::from_str(&passkey.material).map_err(|_| corrupt("material"))
    }

    /// The passkey, as the library wants it.
    ///
    /// Its counter is left out, for a counter that falls is the domain's to judge. So is what was verified at registration: the
    /// library would ask for the same for ever after, while a second factor may do without.
    pub fn credential(self, passkey: &Passkey) -> Result<Credential, PortError> {
        Ok(Credential {
            cred_id: id(passkey)?,
            cred: self.key,
            counter: 0,
            transports: (!self.transports.is_empty()).then_some(self.transports),
            user_verified: false,
            backup_eligible: passkey.backup_eligible,
            backup_state: passkey.backed_up,
            registration_policy: UserVerificationPolicy::Preferred,
            extensions: RegisteredExtensions::none(),
            attestation: ParsedAttestation::default(),
            attestation_format: AttestationFormat::None,
        })
    }
}

/// The credential id of a stored passkey, in bytes.
pub fn id(passkey: &Passkey) -> Result<Vec<u8>, PortError> {
    let id = URL_SAFE_NO_PAD.decode(&passkey.credential);
    id.map_err(|_| corrupt("credential id"))
}

fn corrupt(what: &str) -> PortError {
    PortError::Corrupt {
        what: format!("the {what} of a passkey"),
    }
}
