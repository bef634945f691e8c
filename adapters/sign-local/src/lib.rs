#![doc = include_str!("../README.md")]

mod key;

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ports::{PortError, TokenSigner, VerifyingKey};
use domain::secret::Secret;
use domain::signed_token::Claims;
use serde_json::json;

pub use key::{SignerError, SigningSeed};

use key::SigningKey;

/// Signs under the newest of its keys, and publishes all.
#[derive(Debug)]
pub struct LocalSigner {
    ring: RwLock<Arc<Ring>>,
    random: SystemRandom,
}

/// All keys: the one that signs, and those that signed before.
#[derive(Debug)]
struct Ring {
    newest: SigningKey,
    public: Vec<VerifyingKey>,
}

impl Ring {
    fn of(seeds: &[SigningSeed]) -> Result<Self, SignerError> {
        let mut keys = seeds.iter().map(SigningKey::of);
        let newest = keys.next().ok_or(SignerError::NoKey)??;
        let mut public = vec![newest.public.clone()];
        for older in keys {
            public.push(older?.public);
        }
        Ok(Self { newest, public })
    }
}

impl LocalSigner {
    /// A signer with these keys, the newest first.
    ///
    /// # Errors
    /// [`SignerError::NoKey`] when there is none, [`SignerError::Derivation`] when the cryptographic library refuses to derive one.
    pub fn new(seeds: &[SigningSeed]) -> Result<Self, SignerError> {
        Ok(Self {
            ring: RwLock::new(Arc::new(Ring::of(seeds)?)),
            random: SystemRandom::new(),
        })
    }

    /// Exchanges the keys while others sign.
    ///
    /// # Errors
    /// As [`LocalSigner::new`]; the former keys stay in use.
    pub fn replace(&self, seeds: &[SigningSeed]) -> Result<(), SignerError> {
        let ring = Arc::new(Ring::of(seeds)?);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl TokenSigner for LocalSigner {
    async fn sign(&self, claims: &Claims) -> Result<Secret, PortError> {
        let ring = self.ring();
        let head = json!({ "alg": "ES256", "typ": "at+jwt", "kid": ring.newest.public.id });
        let payload = serde_json::to_vec(claims).map_err(|_| PortError::corrupt("claims"))?;
        let mut token = URL_SAFE_NO_PAD.encode(head.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signed = ring.newest.pair.sign(&self.random, token.as_bytes());
        let signature = signed.map_err(|_| PortError::unavailable("the signature was refused"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(Secret::new(token))
    }

    async fn keys(&self) -> Result<Vec<VerifyingKey>, PortError> {
        Ok(self.ring().public.clone())
    }
}
