//! Proving to be the client (RFC 6749 section 2.3, Apple's signed secret).

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::secret::Secret;
use serde_json::json;

use crate::config::{ConfigError, wrong};

/// Life of a signed secret in seconds: longer than one exchange takes, far below Apple's half a year.
const LIFE: i64 = 300;

/// Signs Apple's client secrets.
pub struct Signer {
    team_id: String,
    key_id: String,
    key: EcdsaKeyPair,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, {})", self.team_id, self.key_id)
    }
}

impl Signer {
    /// Reads the key.
    pub fn new(team_id: &str, key_id: &str, pem: &Secret) -> Result<Self, ConfigError> {
        if team_id.is_empty() || key_id.is_empty() {
            return wrong("client secret: Apple's needs the team and the key's id");
        }
        let key = der_of(pem.expose())
            .and_then(|der| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok());
        let Some(key) = key else {
            return wrong("client secret: Apple's key is no P-256 key as PKCS #8 in PEM (the .p8 file)");
        };
        Ok(Self {
            team_id: team_id.to_owned(),
            key_id: key_id.to_owned(),
            key,
        })
    }

    /// A secret for one request to `audience` at `now`, in seconds since 1970. None if the machine cannot sign.
    pub fn sign(&self, client_id: &str, audience: &str, now: i64) -> Option<Secret> {
        let header = json!({"alg": "ES256", "kid": self.key_id});
        let claims = json!({
            "iss": self.team_id, "iat": now, "exp": now + LIFE, "aud": audience, "sub": client_id,
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(Secret::new(format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(signature)
        )))
    }
}

/// The bytes between the lines of a PEM file.
fn der_of(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).ok()
}

#[cfg(test)]
#[path = "../tests/unit/client_secret.rs"]
mod tests;
