//! ID tokens, signed one by one as providers do.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::Fault;

/// A key that lives as long as the bench.
pub enum Signer {
    /// RS256 with 2048 bits: what most providers sign with.
    Rs256(Box<RsaKeyPair>),
    /// ES256.
    Es256(Box<EcdsaKeyPair>),
}

impl Signer {
    /// A new RSA key.
    pub fn rs256() -> Result<Self, Fault> {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| "no RSA key could be made")?;
        Ok(Self::Rs256(Box::new(key)))
    }

    /// A new key on P-256.
    pub fn es256() -> Result<Self, Fault> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Ok(Self::Es256(Box::new(key.map_err(|_| "no EC key could be made")?)))
    }

    /// The algorithm's name (RFC 7518 section 3.1).
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Rs256(_) => "RS256",
            Self::Es256(_) => "ES256",
        }
    }

    /// The public key as a set of one (RFC 7517 section 5).
    pub fn jwks(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = match self {
            Self::Rs256(key) => {
                // RSAPublicKey in DER (RFC 8017 appendix A.1.1): of 2048 bits, nine bytes come before the modulus.
                let modulus = key.public_key().as_ref().get(9..265).unwrap_or_default();
                json!({ "kty": "RSA", "n": text(modulus), "e": "AQAB" })
            }
            Self::Es256(key) => {
                // An uncompressed point: 4, x and y (SEC 1 section 2.3.3).
                let point = key.public_key().as_ref();
                let (x, y) = point.get(1..65).unwrap_or_default().split_at(32.min(point.len()));
                json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) })
            }
        };
        if let Value::Object(key) = &mut key {
            key.insert("kid".to_owned(), json!("1"));
            key.insert("use".to_owned(), json!("sig"));
            key.insert("alg".to_owned(), json!(self.algorithm()));
        }
        json!({ "keys": [key] })
    }

    /// A JWT in compact form (RFC 7515 section 3.1).
    pub fn sign(&self, claims: &Value) -> Option<String> {
        let header = json!({ "alg": self.algorithm(), "kid": "1", "typ": "JWT" });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let (random, message) = (SystemRandom::new(), signed.as_bytes());
        let signature = match self {
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .ok()?;
                URL_SAFE_NO_PAD.encode(signature)
            }
            Self::Es256(key) => URL_SAFE_NO_PAD.encode(key.sign(&random, message).ok()?),
        };
        Some(format!("{signed}.{signature}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    };

    fn parts(signer: &Signer) -> (String, Vec<u8>, Value) {
        let token = signer.sign(&json!({ "sub": "1" })).unwrap();
        let (message, proof) = token.rsplit_once('.').unwrap();
        let proof = URL_SAFE_NO_PAD.decode(proof).unwrap();
        (message.to_owned(), proof, signer.jwks()["keys"][0].clone())
    }

    fn number(key: &Value, name: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap()
    }

    #[test]
    fn the_published_rsa_key_verifies_what_was_signed() {
        let (signed, signature, key) = parts(&Signer::rs256().unwrap());
        let public = RsaPublicKeyComponents {
            n: number(&key, "n"),
            e: number(&key, "e"),
        };
        public
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .unwrap();
    }

    #[test]
    fn the_published_point_verifies_what_was_signed() {
        let (signed, signature, key) = parts(&Signer::es256().unwrap());
        let point = [vec![4], number(&key, "x"), number(&key, "y")].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &signature)
            .unwrap();
    }
}
