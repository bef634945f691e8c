//! A signing key, as it follows from a key of the key file.

use std::fmt;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use domain::ports::VerifyingKey;
use zeroize::{Zeroize as _, Zeroizing};

/// Length of a key of the file, of a scalar and of a coordinate, in bytes.
const LENGTH: usize = 32;

/// What signing keys are derived for. Another algorithm gets another label, and so other keys.
const LABEL: &[u8] = b"portcullis sign ES256 1";

/// Why keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// Nothing can be signed without a key.
    #[error("there is no key to sign with")]
    NoKey,
    /// The cryptographic library refused to derive a key.
    #[error("no signing key could be derived from key {id}")]
    Derivation {
        /// The id of the key.
        id: String,
    },
}

/// A key as the key file has it: 256 bits of good entropy, and a name that is no secret.
#[derive(Clone)]
pub struct SigningSeed {
    id: String,
    bytes: Zeroizing<[u8; LENGTH]>,
}

impl SigningSeed {
    /// A key of that id, which tokens name and services read.
    pub fn new(id: &str, mut bytes: [u8; LENGTH]) -> Self {
        let seed = Self {
            id: id.to_owned(),
            bytes: Zeroizing::new(bytes),
        };
        bytes.zeroize();
        seed
    }
}

impl fmt::Debug for SigningSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningSeed({}, …)", self.id)
    }
}

/// Both halves.
pub(crate) struct SigningKey {
    /// What signs.
    pub pair: EcdsaKeyPair,
    /// What is published.
    pub public: VerifyingKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, …)", self.public.id)
    }
}

impl SigningKey {
    /// The key that follows from a seed, always the same.
    pub fn of(seed: &SigningSeed) -> Result<Self, SignerError> {
        derive(seed).ok_or_else(|| SignerError::Derivation { id: seed.id.clone() })
    }
}

fn derive(seed: &SigningSeed) -> Option<SigningKey> {
    // The key is random already, so that no salt is needed (RFC 5869 section 3.1).
    let extracted = Salt::none(HKDF_SHA256).extract(seed.bytes.as_slice());
    // One try in 2^32 yields no scalar of the curve: 256 of them never happen.
    let (scalar, private) = (0..=u8::MAX).find_map(|count| {
        let scalar = expanded(&extracted, count)?;
        let private = PrivateKey::from_private_key(&ECDH_P256, scalar.as_slice()).ok()?;
        Some((scalar, private))
    })?;
    // Uncompressed: a 4, then both coordinates (SEC 1 section 2.3.3).
    let point = private.compute_public_key().ok()?;
    let (x, y) = point.as_ref().strip_prefix(&[4])?.split_at_checked(LENGTH)?;
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar.as_slice(), point.as_ref());
    Some(SigningKey {
        pair: pair.ok()?,
        public: VerifyingKey {
            id: seed.id.clone(),
            x: x.try_into().ok()?,
            y: y.try_into().ok()?,
        },
    })
}

/// As many bytes as a scalar has.
struct Scalar;

impl KeyType for Scalar {
    fn len(&self) -> usize {
        LENGTH
    }
}

fn expanded(extracted: &Prk, count: u8) -> Option<Zeroizing<[u8; LENGTH]>> {
    let mut derived = Zeroizing::new([0_u8; LENGTH]);
    let counted = [count];
    let info = [LABEL, &counted];
    let expanded = extracted.expand(&info, Scalar).ok()?;
    expanded.fill(derived.as_mut_slice()).ok()?;
    Some(derived)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_makes_one_key_and_another_seed_another() {
        let of = |byte| SigningKey::of(&SigningSeed::new("00000000000000aa", [byte; LENGTH])).unwrap();
        assert_eq!(of(7).public, of(7).public);
        assert_ne!(of(7).public.x, of(8).public.x);
    }

    #[test]
    fn debug_shows_no_key() {
        let seed = SigningSeed::new("00000000000000aa", *b"0123456789abcdefghijklmnopqrstuv");
        assert_eq!(format!("{seed:?}"), "SigningSeed(00000000000000aa, …)");
        let shown = format!("{:?}", SigningKey::of(&seed).unwrap());
        assert_eq!(shown, "SigningKey(00000000000000aa, …)");
    }

    /// RFC 5869 by hand, with another implementation of HMAC: `T(1) = HMAC(HMAC(zeroes, key), label ‖ counter ‖ 1)`.
    #[test]
    fn the_scalar_is_that_of_the_standard() {
        use aws_lc_rs::hmac;
        let mac = |key: &[u8], data: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
        let extracted = mac(&[0; 32], &[7; LENGTH]);
        for count in [0, 1] {
            let mut info = LABEL.to_vec();
            info.extend([count, 1]);
            let expected = mac(extracted.as_ref(), &info);
            let prk = Salt::none(HKDF_SHA256).extract(&[7; LENGTH]);
            assert_eq!(expanded(&prk, count).unwrap().as_slice(), expected.as_ref());
        }
    }
}
