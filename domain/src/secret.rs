//! Values that must not be seen: tokens, codes, keys. `Debug` never shows them, dropping wipes them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, Zeroizing};

use crate::entropy::Entropy;

/// Text that is shown to nobody by accident: redacted in `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. The name is long on purpose: each use is worth a look in review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret that only the holder of the server's key can read, bound to its owner and kind: the form in which it is stored. What
/// the bytes mean is the sealer's own affair.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// From stored bytes.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl Serialize for Sealed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text);
        bytes
            .map(Self)
            .map_err(|_| serde::de::Error::custom("not a sealed value"))
    }
}

/// Length of every token we make.
pub const TOKEN_LENGTH: usize = 64;

const TOKEN_ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A bearer token: 64 characters of `A-Za-z0-9`, about 381 bits (ASVS 7.2.3 asks for 128). Only its hash is ever stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(Secret);

impl Token {
    /// Draws a new token. Bytes above the largest multiple of 62 are thrown away, so that no character is likelier than another.
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(TOKEN_LENGTH));
        let mut bytes = Zeroizing::new([0_u8; TOKEN_LENGTH]);
        while text.len() < TOKEN_LENGTH {
            entropy.fill(bytes.as_mut_slice());
            let fair = bytes.iter().filter(|byte| **byte < 248);
            let letters =
                fair.filter_map(|byte| TOKEN_ALPHABET.get(usize::from(*byte) % TOKEN_ALPHABET.len()));
            for letter in letters.take(TOKEN_LENGTH - text.len()) {
                text.push(char::from(*letter));
            }
        }
        Self(Secret::new(text.as_str()))
    }

    /// A token that follows from this one and `parts` for one `purpose`: always the same, and nobody can tell it who has not both. HMAC-SHA-256
    /// under this token's text, expanded as in RFC 5869.
    pub(crate) fn derive(&self, purpose: &str, parts: &[&[u8]]) -> Self {
        let CodeMac(seed) = mac(self.expose().as_bytes(), purpose, parts);
        let key = MacKey::new(seed);
        Self::draw(&mut Expansion { key, block: 0 })
    }

    /// A token as a caller presented it; any text may be one (imported tokens have other lengths).
    pub fn presented(text: impl Into<String>) -> Self {
        Self(Secret::new(text))
    }

    /// The text to hand to its owner, once.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What may be stored and compared: SHA-256 of the text. A token has so much entropy that no salt or stretching is needed.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.expose().as_bytes()).into())
    }
}

/// SHA-256 of a [`Token`]: the only form of a token in any store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// From stored bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A printable key, for stores whose keys are text.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads what [`TokenHash::to_text`] wrote; `None` for anything else.
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell two apart in a failing test, too little to look one up.
        let [a, b, ..] = self.0;
        write!(f, "TokenHash({a:02x}{b:02x}…)")
    }
}

impl Serialize for TokenHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text).ok_or_else(|| serde::de::Error::custom("not a token hash"))
    }
}

/// The server's own key for message authentication codes: a copied database without it cannot be searched for short codes.
#[derive(Clone)]
pub struct MacKey(Zeroizing<[u8; 32]>);

/// HMAC-SHA-256 of something short-lived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeMac([u8; 32]);

impl MacKey {
    /// A key from 32 bytes of good entropy.
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = Self(Zeroizing::new(bytes));
        bytes.zeroize();
        key
    }

    /// The code of `parts` for one `purpose`. Parts are length-prefixed: no two lists share a code.
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> CodeMac {
        mac(self.0.as_slice(), purpose, parts)
    }
}

fn mac(key: &[u8], purpose: &str, parts: &[&[u8]]) -> CodeMac {
    // HMAC takes keys of every length: the error arm cannot be reached, and an empty key would still be total.
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default()));
    for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    CodeMac(mac.finalize().into_bytes().into())
}

/// Bytes that follow from a key, block by block.
struct Expansion {
    key: MacKey,
    block: u64,
}

impl Entropy for Expansion {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let CodeMac(block) = self.key.mac("expand", &[&self.block.to_be_bytes()]);
            for (byte, derived) in chunk.iter_mut().zip(block) {
                *byte = derived;
            }
            self.block += 1;
        }
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(…)")
    }
}

impl CodeMac {
    /// The code as text of 43 characters: a secret derived from the key instead of being stored. It fits a PKCE verifier.
    pub fn to_secret(&self) -> Secret {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0))
    }

    /// Compares in constant time (ASVS 11.2.4).
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::CountingEntropy;

    #[test]
    fn a_token_is_64_letters_and_digits() {
        let token = Token::draw(&mut CountingEntropy::default());
        assert_eq!(token.expose().len(), TOKEN_LENGTH);
        assert!(token.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_derived_token_depends_on_its_root_its_purpose_and_every_part() {
        let root = Token::presented("root");
        let derived = root.derive("a", &[b"salt"]);
        assert_eq!(derived, root.derive("a", &[b"salt"]));
        assert_eq!(derived.expose().len(), TOKEN_LENGTH);
        for other in [
            root.derive("b", &[b"salt"]),
            root.derive("a", &[b"tlas"]),
            root.derive("a", &[]),
            Token::presented("another root").derive("a", &[b"salt"]),
        ] {
            assert_ne!(derived, other);
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = Token::draw(&mut CountingEntropy::default());
        assert!(!format!("{token:?}").contains(token.expose()));
        assert_eq!(format!("{:?}", MacKey::new([7; 32])), "MacKey(…)");
    }

    #[test]
    fn a_hash_reads_back_from_its_text() {
        let hash = Token::presented("anything").hash();
        assert_eq!(TokenHash::from_text(&hash.to_text()), Some(hash));
        assert_eq!(TokenHash::from_text("short"), None);
    }

    #[test]
    fn a_mac_depends_on_key_purpose_and_every_boundary() {
        let key = MacKey::new([1; 32]);
        let mac = key.mac("a", &[b"bc", b"d"]);
        assert!(mac.matches(&key.mac("a", &[b"bc", b"d"])));
        assert!(!mac.matches(&key.mac("a", &[b"b", b"cd"])));
        assert!(!mac.matches(&key.mac("b", &[b"bc", b"d"])));
        assert!(!mac.matches(&MacKey::new([2; 32]).mac("a", &[b"bc", b"d"])));
    }
}
