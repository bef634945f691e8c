//! The signatures that nearly all providers make, checked by the library that also speaks TLS here: it takes a tenth of the time.
//! Whatever is unusual in a key is left to the protocol crate.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::CoreJwsSigningAlgorithm as Algorithm;
use serde_json::Value;

/// Lengths of an RSA modulus that are checked here, in bytes: more than the longest, the protocol crate does not take either.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// The public exponent of all keys but odd ones: 65537.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// Bytes of a coordinate on P-256.
const COORDINATE: usize = 32;

/// The numbers of a public key of a usual kind.
#[derive(Debug)]
pub enum Quick {
    /// The modulus.
    Rsa(Vec<u8>),
    /// The point, uncompressed (SEC 1 section 2.3.3).
    P256(Vec<u8>),
}

impl Quick {
    /// The numbers of a published key, if it is of a usual kind.
    pub fn of(key: &Value) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let number = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let (n, e) = (number("n")?, number("e")?);
                let usual = MODULUS.contains(&n.len()) && n.first() != Some(&0) && e == EXPONENT;
                usual.then_some(Self::Rsa(n))
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (number("x")?, number("y")?);
                let usual = x.len() == COORDINATE && y.len() == COORDINATE;
                usual.then(|| Self::P256([[4].as_slice(), &x, &y].concat()))
            }
            _ => None,
        }
    }

    /// Whether the signature is good; none if that is not for us to say.
    pub fn verify(&self, algorithm: &Algorithm, signed: &[u8], signature: &[u8]) -> Option<bool> {
        let outcome = match (self, algorithm) {
            (Self::Rsa(n), Algorithm::RsaSsaPkcs1V15Sha256) => {
                let (n, e) = (n.as_slice(), EXPONENT.as_slice());
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
            }
            (Self::P256(point), Algorithm::EcdsaP256Sha256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature)
            }
            _ => return None,
        };
        Some(outcome.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jws::Jws;
    use crate::test_keys::{TestKey, b64};
    use serde_json::json;

    fn judged(key: &Value, token: &str) -> Option<bool> {
        let token = Jws::parse(token).unwrap();
        Quick::of(key)?.verify(&token.algorithm, token.signed, &token.signature)
    }

    #[test]
    fn both_libraries_judge_alike() {
        for (ours, rogue) in [
            (TestKey::rsa("k"), TestKey::rsa("k")),
            (TestKey::p256("k"), TestKey::p256("k")),
        ] {
            assert_eq!(judged(&ours.jwk(), &ours.sign(&json!({}))), Some(true));
            assert_eq!(judged(&ours.jwk(), &rogue.sign(&json!({}))), Some(false));
        }
    }

    #[test]
    fn what_is_unusual_is_left_alone() {
        let (rsa, p256) = (TestKey::rsa("k"), TestKey::p256("k"));
        let token = rsa.sign_as(&json!({"alg": "PS256"}), &json!({}));
        assert_eq!(judged(&rsa.jwk(), &token), None);
        assert_eq!(judged(&p256.jwk(), &rsa.sign(&json!({}))), None);
        for (name, value) in [("e", b64([3])), ("n", b64([0xff; 255])), ("n", b64([0; 256]))] {
            let mut jwk = rsa.jwk();
            jwk[name] = json!(value);
            assert!(Quick::of(&jwk).is_none(), "{name}");
        }
        let mut short = p256.jwk();
        short["x"] = json!("");
        for key in [
            short,
            TestKey::p384("k").jwk(),
            TestKey::ed25519("k").jwk(),
            json!(1),
        ] {
            assert!(Quick::of(&key).is_none());
        }
    }
}
