//! What comes from the browser: JSON as `PublicKeyCredential.toJSON` writes it (WebAuthn section 5.1.1), out of anybody's hands.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ports::PasskeyFault;
use serde::Deserialize;
use serde_json::Value;
use webauthn_rs_core::proto::{PublicKeyCredential, RegisterPublicKeyCredential};

/// Longest credential id, in bytes (WebAuthn section 6.5.1).
pub const CREDENTIAL_ID: usize = 1023;

/// Longest text that any part of an answer may be, in characters. An attestation with all its certificates stays far below.
const PART: usize = 64 * 1024;
/// Most transports that a device may be reached by.
const TRANSPORTS: usize = 16;
/// The only type of credential there is (WebAuthn section 5.8.2).
const TYPE: &str = "public-key";

/// Bytes, as they stand in JSON.
pub fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Refuses before anything is decoded.
fn bounded(answer: &Value) -> Result<(), PasskeyFault> {
    let fits = |object: &Value| {
        let parts = object.as_object().ok_or(PasskeyFault::Malformed)?;
        let long = |part: &Value| part.as_str().is_some_and(|text| text.len() > PART);
        if parts.values().any(long) {
            return Err(PasskeyFault::Malformed);
        }
        Ok(())
    };
    fits(answer)?;
    let response = answer.get("response").ok_or(PasskeyFault::Malformed)?;
    fits(response)?;
    match response.get("transports").and_then(Value::as_array) {
        Some(transports) if transports.len() > TRANSPORTS => Err(PasskeyFault::Malformed),
        _ => Ok(()),
    }
}

/// The two spellings of the credential id must be one.
fn consistent(id: &str, raw_id: &[u8], kind: &str) -> Result<(), PasskeyFault> {
    let sound = kind == TYPE && (1..=CREDENTIAL_ID).contains(&raw_id.len()) && id == text(raw_id);
    if sound {
        Ok(())
    } else {
        Err(PasskeyFault::Malformed)
    }
}

/// An authenticator's new key.
pub fn registration(answer: &Value) -> Result<RegisterPublicKeyCredential, PasskeyFault> {
    bounded(answer)?;
    let read = RegisterPublicKeyCredential::deserialize(answer).map_err(|_| PasskeyFault::Malformed)?;
    consistent(&read.id, &read.raw_id, &read.type_)?;
    Ok(read)
}

/// An authenticator's proof.
pub fn assertion(answer: &Value) -> Result<PublicKeyCredential, PasskeyFault> {
    bounded(answer)?;
    let read = PublicKeyCredential::deserialize(answer).map_err(|_| PasskeyFault::Malformed)?;
    consistent(&read.id, &read.raw_id, &read.type_)?;
    Ok(read)
}

/// The handle in an authenticator's proof; some devices send an empty one for none.
pub fn handle(answer: &PublicKeyCredential) -> Option<&[u8]> {
    answer.get_user_unique_id().filter(|handle| !handle.is_empty())
}

#[derive(Deserialize)]
struct Frame {
    #[serde(default, rename = "crossOrigin")]
    cross_origin: Option<bool>,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<String>,
}

/// Refuses what a page of ours gave inside of a frame of somebody else's: nobody sees there what they agree to (WebAuthn section
/// 13.4.2).
pub fn not_framed(client_data: &[u8]) -> Result<(), PasskeyFault> {
    let frame: Frame = serde_json::from_slice(client_data).map_err(|_| PasskeyFault::Malformed)?;
    if frame.cross_origin.unwrap_or(false) || frame.top_origin.is_some() {
        return Err(PasskeyFault::Origin);
    }
    Ok(())
}
