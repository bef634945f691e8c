//! The sealed form: a data key under a wrapping key, and the secret under the data key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use domain::ports::{PortError, SealBinding};
use domain::secret::{Sealed, Secret};
use zeroize::Zeroizing;

use crate::ring::{KEY_LENGTH, KeyId, Ring, digits};

/// The only format there is.
const VERSION: u8 = 1;

/// Length of AES-GCM's tag.
const TAG_LENGTH: usize = 16;

/// Length of a wrapped data key.
const WRAPPED_LENGTH: usize = KEY_LENGTH + TAG_LENGTH;

/// The parts of a sealed value.
#[derive(Clone, Copy)]
struct Parts<'a> {
    id: KeyId,
    wrap_nonce: [u8; NONCE_LEN],
    wrapped: &'a [u8; WRAPPED_LENGTH],
    nonce: [u8; NONCE_LEN],
    ciphertext: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a Sealed) -> Option<Self> {
        let (version, rest) = sealed.as_bytes().split_first()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (wrap_nonce, rest) = rest.split_first_chunk()?;
        let (wrapped, rest) = rest.split_first_chunk()?;
        let (nonce, ciphertext) = rest.split_first_chunk()?;
        let is_whole = *version == VERSION && ciphertext.len() >= TAG_LENGTH;
        is_whole.then_some(Self {
            id: *id,
            wrap_nonce: *wrap_nonce,
            wrapped,
            nonce: *nonce,
            ciphertext,
        })
    }
}

/// The id of the key a value was sealed under.
pub(crate) fn key_id(sealed: &Sealed) -> Option<KeyId> {
    Parts::of(sealed).map(|parts| parts.id)
}

/// Seals under the newest key.
pub(crate) fn seal(ring: &Ring, secret: &Secret, binding: &SealBinding) -> Result<Sealed, PortError> {
    let wrapping = ring.newest();
    let sealed = encrypted(wrapping.id, &wrapping.bytes, secret, binding);
    sealed.ok_or_else(|| PortError::unavailable("the cryptographic library did not seal a value"))
}

fn encrypted(
    id: KeyId,
    wrapping: &[u8; KEY_LENGTH],
    secret: &Secret,
    binding: &SealBinding,
) -> Option<Sealed> {
    let context = context(id, binding);
    let mut data_key = Zeroizing::new([0_u8; KEY_LENGTH]);
    rand::fill(data_key.as_mut_slice()).ok()?;
    let (wrap_nonce, nonce) = (drawn_nonce()?, drawn_nonce()?);
    let wrapped = encrypt(wrapping, wrap_nonce, &context, data_key.as_slice())?;
    let ciphertext = encrypt(&data_key, nonce, &context, secret.expose().as_bytes())?;
    let bytes = [
        &[VERSION],
        id.as_slice(),
        &wrap_nonce,
        &wrapped,
        &nonce,
        &ciphertext,
    ]
    .concat();
    Some(Sealed::from_bytes(bytes))
}

/// Opens what any key of the ring sealed.
pub(crate) fn open(ring: &Ring, sealed: &Sealed, binding: &SealBinding) -> Result<Secret, PortError> {
    let parts = Parts::of(sealed).ok_or_else(|| PortError::corrupt("a sealed value: no known format"))?;
    let named = digits(parts.id);
    let wrapping = ring
        .find(parts.id)
        .ok_or_else(|| PortError::corrupt(format!("a sealed value: key {named} is not at hand")))?;
    let opened = decrypted(&parts, &wrapping.bytes, binding);
    opened.ok_or_else(|| PortError::corrupt(format!("a sealed value under key {named}")))
}

fn decrypted(parts: &Parts<'_>, wrapping: &[u8; KEY_LENGTH], binding: &SealBinding) -> Option<Secret> {
    let context = context(parts.id, binding);
    let data_key = decrypt(wrapping, parts.wrap_nonce, &context, parts.wrapped)?;
    let data_key: &[u8; KEY_LENGTH] = data_key.first_chunk()?;
    let text = decrypt(data_key, parts.nonce, &context, parts.ciphertext)?;
    let text = text.get(..text.len().checked_sub(TAG_LENGTH)?)?;
    std::str::from_utf8(text).ok().map(Secret::new)
}

/// What both encryptions authenticate besides what they hold. Every text stands behind its length: no two bindings share a context.
fn context(id: KeyId, binding: &SealBinding) -> Vec<u8> {
    let mut context = vec![VERSION];
    context.extend(id);
    let owner = binding.owner.iter().map(String::as_str);
    for part in std::iter::once(binding.kind).chain(owner) {
        context.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.extend(part.as_bytes());
    }
    context
}

/// The ciphertext and its tag. Room for the tag is made before the text comes in: a buffer that grew would leave a copy behind.
fn encrypt(key: &[u8; KEY_LENGTH], nonce: [u8; NONCE_LEN], context: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() + TAG_LENGTH);
    bytes.extend(text);
    let nonce = Nonce::assume_unique_for_key(nonce);
    cipher(key)?
        .seal_in_place_append_tag(nonce, Aad::from(context), &mut bytes)
        .ok()?;
    Some(bytes)
}

/// The text, with the place of the tag behind it.
fn decrypt(
    key: &[u8; KEY_LENGTH],
    nonce: [u8; NONCE_LEN],
    context: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(ciphertext.to_vec());
    let nonce = Nonce::assume_unique_for_key(nonce);
    cipher(key)?
        .open_in_place(nonce, Aad::from(context), &mut bytes)
        .ok()?;
    Some(bytes)
}

fn cipher(key: &[u8; KEY_LENGTH]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new)
}

fn drawn_nonce() -> Option<[u8; NONCE_LEN]> {
    let mut bytes = [0; NONCE_LEN];
    rand::fill(&mut bytes).ok()?;
    Some(bytes)
}
