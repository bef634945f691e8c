//! The port.

use std::time::Duration;

use domain::credential::{Passkey, user_handle, user_of_handle};
use domain::id::UserKey;
use domain::ports::{
    PasskeyAssertion, PasskeyCeremony, PasskeyFault, PasskeyHolder, PasskeyVerifier, PortError,
    RegisteredPasskey,
};
use serde::Serialize;
use serde_json::Value;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{AttestationConveyancePreference, UserVerificationPolicy};

use crate::answer::{self, text};
use crate::ceremony::Ceremony;
use crate::material::{self, ALGORITHMS, Material};
use crate::{Site, fault};

/// How long a browser is told to wait for its user: what WebAuthn recommends (section 15.1). When the server stops waiting is not
/// decided here.
const PATIENCE: Duration = Duration::from_mins(5);

/// A verifier for one site. Keeps nothing between calls.
#[derive(Clone, Debug)]
pub struct WebauthnVerifier {
    core: WebauthnCore,
    name: String,
}

impl WebauthnVerifier {
    /// Takes answers from pages of the site alone: not from another port, a domain below, or a frame in somebody else's page.
    pub fn new(site: &Site) -> Self {
        let origins = vec![site.origin.clone()];
        Self {
            core: WebauthnCore::new_unsafe_experts_only(
                &site.name,
                &site.id,
                origins,
                PATIENCE,
                Some(false),
                Some(false),
            ),
            name: site.name.clone(),
        }
    }

    /// What a device is to show; something, for the library refuses nothing.
    fn shown<'a>(&'a self, names: [&'a str; 2]) -> &'a str {
        let given = names.into_iter().find(|name| !name.is_empty());
        given.unwrap_or(&self.name)
    }
}

/// A ceremony cannot be begun: the fault is ours, and there is nothing to wait for.
fn unable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::Unavailable {
        source: error.into(),
        retry: false,
    }
}

fn begun(options: impl Serialize, ceremony: &Ceremony) -> Result<PasskeyCeremony, PortError> {
    Ok(PasskeyCeremony {
        options: serde_json::to_value(options).map_err(unable)?,
        state: ceremony.write()?,
    })
}

fn refused(error: WebauthnError) -> PasskeyFault {
    let fault = fault::of(&error);
    drop(error);
    fault
}

impl PasskeyVerifier for WebauthnVerifier {
    fn begin_registration(
        &self,
        holder: &PasskeyHolder,
        existing: &[Passkey],
    ) -> Result<PasskeyCeremony, PortError> {
        let handle = user_handle(&holder.user).ok_or_else(|| unable("the user's id is too long"))?;
        let existing = existing.iter().map(material::id).collect::<Result<_, _>>()?;
        let name = self.shown([&holder.name, &holder.display_name]);
        let display_name = self.shown([&holder.display_name, &holder.name]);
        let asked = self
            .core
            .new_challenge_register_builder(&handle, name, display_name);
        let asked = asked
            .map_err(unable)?
            .attestation(AttestationConveyancePreference::None)
            .credential_algorithms(ALGORITHMS.to_vec())
            .exclude_credentials(Some(existing))
            .require_resident_key(true)
            .user_verification_policy(UserVerificationPolicy::Preferred);
        let (challenge, state) = self.core.generate_challenge_register(asked).map_err(unable)?;
        let ceremony = Ceremony::Registration {
            handle: text(&handle),
            state: Box::new(state),
        };
        begun(challenge.public_key, &ceremony)
    }

    fn finish_registration(&self, state: &str, answer: &Value) -> Result<RegisteredPasskey, PasskeyFault> {
        let Ceremony::Registration { handle, state } = Ceremony::read(state)? else {
            return Err(PasskeyFault::Refused);
        };
        let answer = answer::registration(answer)?;
        answer::not_framed(&answer.response.client_data_json)?;
        let made = self
            .core
            .register_credential(&answer, &state, None)
            .map_err(refused)?;
        if made.cred_id != answer.raw_id {
            return Err(PasskeyFault::Malformed);
        }
        let material = Material::new(made.cred, handle, answer.response.transports)?;
        Ok(RegisteredPasskey {
            credential: text(&made.cred_id),
            material: material.write()?,
            sign_count: made.counter,
            user_verifying: made.user_verified,
            backup_eligible: made.backup_eligible,
            backed_up: made.backup_state,
        })
    }

    fn begin_assertion(&self, allowed: &[Passkey], verify: bool) -> Result<PasskeyCeremony, PortError> {
        let credential = |passkey| Material::read(passkey)?.credential(passkey);
        let credentials = allowed.iter().map(credential).collect::<Result<_, _>>()?;
        let policy = if verify {
            UserVerificationPolicy::Required
        } else {
            UserVerificationPolicy::Preferred
        };
        let asked = self
            .core
            .new_challenge_authenticate_builder(credentials, Some(policy));
        let asked = asked.map_err(unable)?;
        let (challenge, mut state) = self.core.generate_challenge_authenticate(asked).map_err(unable)?;
        state.set_allowed_credentials(Vec::new());
        let ceremony = Ceremony::Assertion {
            allowed: allowed.iter().map(|passkey| passkey.credential.clone()).collect(),
            state: Box::new(state),
        };
        begun(challenge.public_key, &ceremony)
    }

    fn named_by(&self, answer: &Value) -> Result<UserKey, PasskeyFault> {
        let answer = answer::assertion(answer)?;
        let handle = answer::handle(&answer).ok_or(PasskeyFault::Malformed)?;
        user_of_handle(handle).ok_or(PasskeyFault::UnknownKey)
    }

    fn finish_assertion(
        &self,
        state: &str,
        answer: &Value,
        passkeys: &[Passkey],
    ) -> Result<PasskeyAssertion, PasskeyFault> {
        let Ceremony::Assertion { allowed, state } = Ceremony::read(state)? else {
            return Err(PasskeyFault::Refused);
        };
        let answer = answer::assertion(answer)?;
        answer::not_framed(&answer.response.client_data_json)?;
        if !allowed.is_empty() && !allowed.contains(&answer.id) {
            return Err(PasskeyFault::UnknownKey);
        }
        let passkey = passkeys.iter().find(|passkey| passkey.credential == answer.id);
        let passkey = passkey.ok_or(PasskeyFault::UnknownKey)?;
        let material = Material::read(passkey).map_err(|_| PasskeyFault::Refused)?;
        match answer::handle(&answer) {
            Some(handle) if text(handle) != material.handle => return Err(PasskeyFault::UnknownKey),
            None if allowed.is_empty() => return Err(PasskeyFault::Malformed),
            _ => {}
        }
        let credential = material.credential(passkey).map_err(|_| PasskeyFault::Refused)?;
        let proven = self
            .core
            .authenticate_single_credential(&answer, &state, &credential)
            .map_err(refused)?;
        Ok(PasskeyAssertion {
            credential: answer.id,
            sign_count: proven.counter(),
            user_verified: proven.user_verified(),
            backed_up: proven.backup_state(),
            material: None,
        })
    }
}
