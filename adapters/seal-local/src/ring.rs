//! Keys and their names.

use std::fmt;

use aws_lc_rs::aead::AES_256_GCM;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::{Zeroize as _, Zeroizing};

/// Length of every key, in bytes.
pub(crate) const KEY_LENGTH: usize = 32;

/// What wrapping keys are derived for. Another format gets another label, and so other keys.
const LABEL: &[u8] = b"portcullis seal 1";

/// The name of a key in a sealed value.
pub(crate) type KeyId = [u8; 8];

/// Why keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealerError {
    /// Nothing can be sealed without a key.
    #[error("there is no key to seal with")]
    NoKey,
    /// A key's id is not of 16 hexadecimal digits.
    #[error("the id of key {position} is not of 16 hexadecimal digits")]
    BadKeyId {
        /// Which key, counted from 1.
        position: usize,
    },
    /// Two keys share an id.
    #[error("there are two keys of the id {id}")]
    DoubledKeyId {
        /// The id.
        id: String,
    },
    /// The cryptographic library refused to derive a key.
    #[error("no key could be derived from key {id}")]
    Derivation {
        /// The id of the key.
        id: String,
    },
}

/// A key as the key file has it: 256 bits of good entropy, and a name that is no secret.
#[derive(Clone)]
pub struct SealKey {
    id: String,
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
}

impl SealKey {
    /// A key of that id, which is 16 hexadecimal digits; [`LocalSealer::new`](crate::LocalSealer::new) judges it.
    pub fn new(id: &str, mut bytes: [u8; KEY_LENGTH]) -> Self {
        let key = Self {
            id: id.to_owned(),
            bytes: Zeroizing::new(bytes),
        };
        bytes.zeroize();
        key
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey({}, …)", self.id)
    }
}

/// A key that wraps data keys.
pub(crate) struct WrappingKey {
    /// Its name, which is that of the key it is derived from.
    pub id: KeyId,
    /// The key itself.
    pub bytes: Zeroizing<[u8; KEY_LENGTH]>,
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappingKey({}, …)", digits(self.id))
    }
}

/// All keys: the newest, and those that only open.
#[derive(Debug)]
pub(crate) struct Ring {
    newest: WrappingKey,
    older: Vec<WrappingKey>,
}

impl Ring {
    /// The keys of a key file, the newest first.
    pub fn new(keys: Vec<SealKey>) -> Result<Self, SealerError> {
        let mut derived: Vec<WrappingKey> = Vec::with_capacity(keys.len());
        for (position, key) in (1..).zip(keys) {
            let id = parse(&key.id).ok_or(SealerError::BadKeyId { position })?;
            if derived.iter().any(|other| other.id == id) {
                return Err(SealerError::DoubledKeyId { id: digits(id) });
            }
            let bytes = derive(&key.bytes).ok_or_else(|| SealerError::Derivation { id: digits(id) })?;
            derived.push(WrappingKey { id, bytes });
        }
        let mut keys = derived.into_iter();
        let newest = keys.next().ok_or(SealerError::NoKey)?;
        Ok(Self {
            newest,
            older: keys.collect(),
        })
    }

    /// The key new values are sealed under.
    pub const fn newest(&self) -> &WrappingKey {
        &self.newest
    }

    /// The key of that id.
    pub fn find(&self, id: KeyId) -> Option<&WrappingKey> {
        let mut all = std::iter::once(&self.newest).chain(&self.older);
        all.find(|key| key.id == id)
    }
}

/// The wrapping key (RFC 5869). The key is random already, so that no salt is needed (section 3.1); the label parts this use
/// from all others.
fn derive(key: &[u8; KEY_LENGTH]) -> Option<Zeroizing<[u8; KEY_LENGTH]>> {
    let mut derived = Zeroizing::new([0_u8; KEY_LENGTH]);
    let extracted = Salt::none(HKDF_SHA256).extract(key);
    let expanded = extracted.expand(&[LABEL], &AES_256_GCM).ok()?;
    expanded.fill(derived.as_mut_slice()).ok()?;
    Some(derived)
}

fn parse(id: &str) -> Option<KeyId> {
    let is_hexadecimal = id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u64::from_str_radix(id, 16).ok().filter(|_| is_hexadecimal);
    number.map(u64::to_be_bytes)
}

/// An id as people read it.
pub(crate) fn digits(id: KeyId) -> String {
    format!("{:016x}", u64::from_be_bytes(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> SealKey {
        SealKey::new(id, [7; KEY_LENGTH])
    }

    #[test]
    fn keys_that_will_not_do_are_refused_by_name() {
        assert_eq!(Ring::new(Vec::new()).err(), Some(SealerError::NoKey));
        for bad in [
            "",
            "0",
            "000000000000000g",
            "+00000000000000a",
            "00000000000000001",
            "äöüäöüäö",
        ] {
            let refused = Ring::new(vec![key("00000000000000aa"), key(bad)]);
            assert_eq!(
                refused.err(),
                Some(SealerError::BadKeyId { position: 2 }),
                "{bad:?}"
            );
        }
        let id = "00000000000000aa".to_owned();
        let doubled = Ring::new(vec![key(&id), key("00000000000000AA")]);
        assert_eq!(doubled.err(), Some(SealerError::DoubledKeyId { id }));
    }

    #[test]
    fn debug_shows_no_key() {
        let key = SealKey::new("00000000000000aa", *b"0123456789abcdefghijklmnopqrstuv");
        let ring = Ring::new(vec![key.clone()]).unwrap();
        assert_eq!(format!("{key:?}"), "SealKey(00000000000000aa, …)");
        let shown = format!("{ring:?}");
        assert!(shown.contains("WrappingKey(00000000000000aa, …)"), "{shown}");
        assert!(!shown.contains("48"), "{shown}");
    }

    /// RFC 5869 by hand, with another implementation of HMAC: `T(1) = HMAC(HMAC(zeroes, key), label ‖ 1)`.
    #[test]
    fn the_wrapping_key_is_that_of_the_standard() {
        use aws_lc_rs::hmac;
        let mac = |key: &[u8], data: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
        let extracted = mac(&[0; 32], &[7; KEY_LENGTH]);
        let mut info = LABEL.to_vec();
        info.push(1);
        let expected = mac(extracted.as_ref(), &info);
        assert_eq!(derive(&[7; KEY_LENGTH]).unwrap().as_slice(), expected.as_ref());
    }
}
