//! Keys of a provider under test.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self as signing, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

enum Kind {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

/// A key pair with a name.
pub struct TestKey {
    pub kid: String,
    kind: Kind,
}

pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl TestKey {
    pub fn rsa(kid: &str) -> Self {
        Self::of(kid, Kind::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    pub fn p256(kid: &str) -> Self {
        Self::ec(kid, &signing::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256")
    }

    pub fn p384(kid: &str) -> Self {
        Self::ec(kid, &signing::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384")
    }

    pub fn ed25519(kid: &str) -> Self {
        Self::of(kid, Kind::Ed(Ed25519KeyPair::generate().unwrap()))
    }

    fn ec(kid: &str, algorithm: &'static EcdsaSigningAlgorithm, curve: &'static str) -> Self {
        Self::of(kid, Kind::Ec(EcdsaKeyPair::generate(algorithm).unwrap(), curve))
    }

    fn of(kid: &str, pair: Kind) -> Self {
        let kid = kid.to_owned();
        Self { kid, kind: pair }
    }

    /// The algorithm it signs by, unless told otherwise.
    pub fn algorithm(&self) -> &'static str {
        match self.kind {
            Kind::Rsa(_) => "RS256",
            Kind::Ec(_, "P-256") => "ES256",
            Kind::Ec(..) => "ES384",
            Kind::Ed(_) => "EdDSA",
        }
    }

    /// The public half as it is published.
    pub fn jwk(&self) -> Value {
        match &self.kind {
            // The modulus of 2048 bits stands in the DER of the public key after nine bytes of framing.
            Kind::Rsa(pair) => {
                let n = &pair.public_key().as_ref()[9..9 + 256];
                json!({"kty": "RSA", "kid": self.kid, "use": "sig", "n": b64(n), "e": "AQAB"})
            }
            Kind::Ec(pair, curve) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "kid": self.kid, "crv": curve, "x": b64(x), "y": b64(y)})
            }
            Kind::Ed(pair) => {
                json!({"kty": "OKP", "kid": self.kid, "crv": "Ed25519", "x": b64(pair.public_key())})
            }
        }
    }

    /// A token of these claims.
    pub fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": self.algorithm(), "kid": self.kid, "typ": "JWT"});
        self.sign_as(&header, claims)
    }

    /// A token with this header, signed by what it says if that is ours.
    pub fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match &self.kind {
            Kind::Rsa(pair) => {
                let padding: &'static dyn RsaEncoding = match header["alg"].as_str() {
                    Some("RS384") => &signing::RSA_PKCS1_SHA384,
                    Some("RS512") => &signing::RSA_PKCS1_SHA512,
                    Some("PS256") => &signing::RSA_PSS_SHA256,
                    Some("PS384") => &signing::RSA_PSS_SHA384,
                    Some("PS512") => &signing::RSA_PSS_SHA512,
                    _ => &signing::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, signed.as_bytes(), &mut signature)
                    .unwrap();
                signature
            }
            Kind::Ec(pair, _) => pair.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            Kind::Ed(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", b64(signature))
    }
}
