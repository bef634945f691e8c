//! The issuer's keys, and what they signed.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ports::{ProviderError, ProviderFault as Fault};
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey as _, SignatureVerificationError};
use outbound_http::Outbound;
use serde_json::Value;

use crate::Caching;
use crate::ask::{fetch, refuse};
use crate::cache::Cached;
use crate::claims::{Claims, is_same};
use crate::jws::Jws;
use crate::quick::Quick;

/// Most keys of a set that are read.
const MOST: usize = 100;

/// Shortest RSA modulus taken, in bytes (RFC 7518 section 3.3).
const SHORTEST_MODULUS: usize = 256;

/// One published set.
#[derive(Debug, Default)]
pub struct KeySet(Vec<Key>);

#[derive(Debug)]
struct Key {
    jwk: CoreJsonWebKey,
    quick: Option<Quick>,
}

impl Key {
    fn read(key: &Value) -> Option<Self> {
        Some(Self {
            jwk: serde_json::from_value(key.clone()).ok()?,
            quick: Quick::of(key),
        })
    }

    fn verify(&self, token: &Jws<'_>) -> Result<(), SignatureVerificationError> {
        let Jws {
            algorithm,
            signed,
            signature,
            ..
        } = token;
        // Whether the key is meant for this is the protocol crate's to say: by its type, its `use` and its `alg`.
        let quick = self
            .quick
            .as_ref()
            .filter(|_| self.jwk.hash_bytes(&[], algorithm).is_ok());
        match quick.and_then(|key| key.verify(algorithm, signed, signature)) {
            Some(true) => Ok(()),
            Some(false) => Err(SignatureVerificationError::CryptoError(String::new())),
            None => self.jwk.verify_signature(algorithm, signed, signature),
        }
    }
}

/// A token whose signature is good.
#[derive(Debug)]
pub struct Signed {
    /// What it says.
    pub claims: Claims,
    key: CoreJsonWebKey,
    algorithm: CoreJwsSigningAlgorithm,
}

impl Signed {
    /// Whether `at_hash`, if there is one, is that of the access token (OpenID Connect Core section 3.1.3.6).
    pub fn judge_access_token(&self, token: &str) -> Result<(), ProviderError> {
        let Some(told) = self.claims.text("at_hash")? else {
            return Ok(());
        };
        let hash = self.key.hash_bytes(token.as_bytes(), &self.algorithm);
        let half = hash
            .ok()
            .and_then(|hash| hash.get(..hash.len() / 2).map(<[u8]>::to_vec));
        match half {
            Some(half) if is_same(&URL_SAFE_NO_PAD.encode(&half), told) => Ok(()),
            _ => refuse(Fault::IdTokenAccessTokenHash, "at_hash is of another token"),
        }
    }
}

impl KeySet {
    /// The keys of a set that may verify; those for anything else, and those we do not understand, are left out (RFC 7517
    /// section 5).
    pub fn read(document: &Value) -> Result<Self, ProviderError> {
        let Some(keys) = document.get("keys").and_then(Value::as_array) else {
            return refuse(Fault::DiscoveryInvalid, "jwks: no keys");
        };
        let sound = keys.iter().take(MOST).filter(|key| is_sound(key));
        let read = sound.filter_map(Key::read);
        Ok(Self(read.collect()))
    }

    /// The token, if one of these keys signed it; none if the key it needs is not here. A token that names no key must leave
    /// no choice.
    pub fn verify(&self, token: &Jws<'_>) -> Result<Option<Signed>, ProviderError> {
        let named = |key: &&Key| match &token.kid {
            Some(kid) => key.jwk.key_id().is_some_and(|id| id.as_str() == kid),
            None => key.jwk.hash_bytes(&[], &token.algorithm).is_ok(),
        };
        let candidates: Vec<&Key> = self.0.iter().filter(named).collect();
        if candidates.is_empty() || (token.kid.is_none() && candidates.len() > 1) {
            return Ok(None);
        }
        let mut fits = false;
        for key in candidates {
            match key.verify(token) {
                Ok(()) => {
                    return Ok(Some(Signed {
                        key: key.jwk.clone(),
                        algorithm: token.algorithm.clone(),
                        claims: token.claims().clone(),
                    }));
                }
                Err(SignatureVerificationError::CryptoError(_)) => fits = true,
                Err(_) => {}
            }
        }
        if fits {
            return refuse(Fault::IdTokenSignature, "the signature is wrong");
        }
        refuse(Fault::IdTokenAlgorithm, "the key is not for this algorithm")
    }
}

/// Whether a key is a public one of a length that is safe to use, and to calculate with.
fn is_sound(key: &Value) -> bool {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    match text("kty") {
        Some("RSA") => {
            let modulus = text("n").and_then(|n| URL_SAFE_NO_PAD.decode(n).ok());
            modulus.is_some_and(|n| {
                let digits = n.iter().skip_while(|byte| **byte == 0).count();
                digits >= SHORTEST_MODULUS && n.last().is_some_and(|last| last % 2 == 1)
            })
        }
        Some("EC" | "OKP") => true,
        _ => false,
    }
}

/// The keys of one issuer as they are now.
pub struct KeyRing {
    held: Cached<KeySet>,
    outbound: Outbound,
    caching: Caching,
}

impl KeyRing {
    pub fn new(outbound: Outbound, caching: Caching) -> Self {
        Self {
            held: Cached::new(),
            outbound,
            caching,
        }
    }

    /// Verifies a token with the keys published at `address`. One that names a key we have not seen makes us look once more, if we
    /// did not lately: providers change their keys.
    pub async fn verify(&self, token: &str, address: &str) -> Result<Signed, ProviderError> {
        let since = Instant::now();
        let token = Jws::parse(token)?;
        let keys = self.held.get(self.caching.keys, || self.fetch(address)).await?;
        if let Some(signed) = keys.verify(&token)? {
            return Ok(signed);
        }
        let newer = self
            .held
            .renew(&keys, since, self.caching.unknown_key, || self.fetch(address));
        let found = match newer.await? {
            Some(newer) => newer.verify(&token)?,
            None => None,
        };
        found.map_or_else(|| refuse(Fault::IdTokenKey, "signed by an unknown key"), Ok)
    }

    async fn fetch(&self, address: &str) -> Result<KeySet, ProviderError> {
        KeySet::read(&fetch(&self.outbound, address, "jwks").await?)
    }
}

#[cfg(test)]
#[path = "../tests/unit/keys.rs"]
mod tests;
